"""The networks, their weights, and the way to ONNX with the manifest that Maskloop reads."""
import hashlib
import inspect
import json
import os
import urllib.request
import warnings
from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torchvision.models.detection import MaskRCNN, MaskRCNN_ResNet50_FPN_Weights, maskrcnn_resnet50_fpn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign

from bundle_data import BundleError

COCO = MaskRCNN_ResNet50_FPN_Weights.COCO_V1
# Of another dataset's classes: left out when weights are taken over.
CLASS_LAYERS = ("roi_heads.box_predictor.", "roi_heads.mask_predictor.mask_fcn_logits.")
# The ONNX file answers with one full-size float mask for each instance. Larger images are scaled down first.
MAX_PIXELS = 1_000_000
DETECTIONS = 100
# Detections below it are not answered; Maskloop's score slider reaches down to here.
KEEP = 0.05


def conv(inputs, outputs, stride=1, kernel=3):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """He et al. 2015, the basic block."""

    def __init__(self, channels):
        super().__init__()
        self.first = conv(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        return torch.relu(x + self.second(self.first(x)))


class SmallBackbone(nn.Module):
    """Image [n,3,h,w] -> four maps of 96 channels at strides 4, 8, 16 and 32, named '0' to '3'."""

    def __init__(self):
        super().__init__()
        self.out_channels = 96
        c2, c3, c4, c5 = 64, 112, 160, 192
        self.stem = nn.Sequential(conv(3, 32, 2), conv(32, c2, 2))
        self.stage2 = Residual(c2)
        self.stage3 = nn.Sequential(conv(c2, c3, 2), Residual(c3))
        self.stage4 = nn.Sequential(conv(c3, c4, 2), Residual(c4))
        self.stage5 = nn.Sequential(conv(c4, c5, 2), conv(c5, c5))
        self.fpn = FeaturePyramidNetwork((c2, c3, c4, c5), self.out_channels, norm_layer=nn.BatchNorm2d)

    def forward(self, x):
        c2 = self.stage2(self.stem(x))
        c3 = self.stage3(c2)
        c4 = self.stage4(c3)
        return self.fpn(OrderedDict((("0", c2), ("1", c3), ("2", c4), ("3", self.stage5(c4)))))


class SmallPredictor(nn.Module):
    """Class scores and box deltas."""

    def __init__(self, inputs, classes):
        super().__init__()
        self.cls_score = nn.Linear(inputs, classes)
        self.bbox_pred = nn.Linear(inputs, classes * 4)

    def forward(self, x):
        return self.cls_score(x), self.bbox_pred(x)


def small(classes, **sizes):
    """A Mask R-CNN of 4 M parameters that a CPU trains from scratch; `classes` counts the background."""
    levels, width, box = ["0", "1", "2", "3"], 96, 256
    return MaskRCNN(
        SmallBackbone(),
        # Two sizes a level, 16 to 320 pixels of the resized image.
        rpn_anchor_generator=AnchorGenerator(((16, 24), (36, 52), (76, 112), (180, 320)), ((0.5, 1.0, 2.0),) * 4),
        rpn_pre_nms_top_n_train=400,
        rpn_post_nms_top_n_train=150,
        rpn_pre_nms_top_n_test=400,
        rpn_post_nms_top_n_test=150,
        rpn_batch_size_per_image=64,
        box_roi_pool=MultiScaleRoIAlign(levels, 7, 2),
        box_head=nn.Sequential(nn.Flatten(1), nn.Linear(width * 49, box), nn.ReLU(), nn.Linear(box, box), nn.ReLU()),
        box_predictor=SmallPredictor(box, classes),
        box_batch_size_per_image=64,
        mask_roi_pool=MultiScaleRoIAlign(levels, 14, 2),
        mask_head=MaskRCNNHeads(width, (width,) * 4, 1, norm_layer=nn.BatchNorm2d),
        mask_predictor=MaskRCNNPredictor(width, width, classes),
        **sizes,
    )


def build(name, classes, size, pretrained=False):
    """A network for `classes` classes, the background not counted. `size`: the shorter side that its graph scales images to.

    `pretrained` only chooses the kind of normalisation: weights that were learned elsewhere keep their statistics.
    """
    sizes = {
        "min_size": size,
        "max_size": size * 2,
        "box_detections_per_img": DETECTIONS,
        "box_score_thresh": KEEP,
    }
    if name == "small":
        return small(classes + 1, **sizes)
    if not pretrained:
        return maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=classes + 1, **sizes)
    from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
    from torchvision.models.resnet import resnet50
    from torchvision.ops.misc import FrozenBatchNorm2d

    backbone = _resnet_fpn_extractor(resnet50(weights=None, norm_layer=FrozenBatchNorm2d), 3)
    for module in backbone.modules():
        # As torchvision sets it for these weights.
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = 0.0
    model = MaskRCNN(backbone, num_classes=91, **sizes)
    model.roi_heads.box_predictor = FastRCNNPredictor(1024, classes + 1)
    model.roi_heads.mask_predictor = MaskRCNNPredictor(256, 256, classes + 1)
    return model


def coco_weights(path=None):
    """COCO weights of the ResNet-50: from a file, from torch's cache, or from torchvision's address; None where there are none."""
    if path is not None:
        return torch.load(path, map_location="cpu")
    cached = os.path.join(torch.hub.get_dir(), "checkpoints", os.path.basename(COCO.url))
    if not os.path.isfile(cached):
        try:
            # Where there is no way out, this says so within seconds instead of minutes.
            request = urllib.request.Request(COCO.url, method="HEAD")
            urllib.request.urlopen(request, timeout=10).close()
        except OSError as error:
            print(f"The COCO weights cannot be reached ({error}).", flush=True)
            return None
    try:
        return COCO.get_state_dict(progress=True)
    except (OSError, RuntimeError) as error:
        print(f"The COCO weights could not be loaded ({error}).", flush=True)
        return None


def take_over(model, weights):
    """Loads what fits; layers of other classes, or of another size, stay as they are. -> how many tensors were taken."""
    own = model.state_dict()
    fitting = {
        key: value
        for key, value in weights.items()
        if key in own and own[key].shape == value.shape and not key.startswith(CLASS_LAYERS)
    }
    if len(fitting) < len(own) // 2:
        raise BundleError("These weights are of another network: less than half of its layers fit.")
    model.load_state_dict(fitting, strict=False)
    return len(fitting)


class Plain(nn.Module):
    """Image [3,H,W], RGB 0..1, any size -> boxes [n,4], labels [n], scores [n], masks [n,1,H,W] of probabilities."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image):
        found = self.model([image])[0]
        return found["boxes"], found["labels"], found["scores"], found["masks"]


NAMES = ("boxes", "labels", "scores", "masks")


def write_onnx(model, path):
    """Writes the network, torchvision's own resizing and normalising included, as ONNX opset 11."""
    wrapped = Plain(model).eval()
    axes = {name: {0: "instances"} for name in NAMES[:3]}
    axes["masks"] = {0: "instances", 2: "height", 3: "width"}
    axes["image"] = {1: "height", 2: "width"}
    # The newer exporter, the default from torch 2.9 on, does not take torchvision's detectors.
    newer = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    with torch.no_grad(), warnings.catch_warnings():
        # It warns of every size that it has to trace; the result is compared with PyTorch below.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            wrapped, (torch.rand(3, 480, 640),), path, opset_version=11, do_constant_folding=True,
            input_names=["image"], output_names=list(NAMES), dynamic_axes=axes, **newer,
        )


@torch.no_grad()
def compare_onnx(model, path, rgb):
    """Runs the file on a picture, uint8 [h,w,3], and says how far its answer is from PyTorch's; None without onnxruntime."""
    try:
        import onnxruntime
    except ImportError:
        return None
    image = torch.from_numpy(rgb.copy()).permute(2, 0, 1).float() / 255
    wanted = Plain(model).eval()(image)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    boxes, labels, scores, _ = session.run(list(NAMES), {"image": image.numpy()})
    same = len(labels) == len(wanted[1]) and bool((labels == wanted[1].numpy()).all())
    if not same:
        return f"PyTorch finds {len(wanted[1])} instances, ONNX Runtime {len(labels)} or other ones"
    if len(labels) == 0:
        return "neither finds anything on the picture they were compared on"
    apart = np.abs(boxes - wanted[0].numpy()).max(), np.abs(scores - wanted[2].numpy()).max()
    return f"{len(labels)} instances, boxes at most {apart[0]:.3f} px and scores {apart[1]:.5f} apart"


def write_manifest(path, bundle, file, about):
    """`manifest.json` beside the ONNX file. `about`: name, version, source."""
    with open(file, "rb") as weights:
        content = weights.read()
    manifest = {
        "format": 1,
        "id": bundle.about["model_id"],
        **about,
        "family": "mask-rcnn",
        "variant": "torchvision",
        "file": {"path": os.path.basename(file), "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
        "input": {
            "name": "image",
            "color": "rgb",
            "range": 1,
            "mean": [0, 0, 0],
            "std": [1, 1, 1],
            "fit": {"mode": "none", "maxPixels": MAX_PIXELS},
        },
        "outputs": {name: name for name in NAMES},
        "labels": bundle.names,
        "labelOffset": 1,
        "thresholds": {"score": 0.5, "keep": KEEP, "mask": 0.5},
        "license": "LicenseRef-own",
        "goldens": [],
    }
    with open(path, "w", encoding="utf-8") as out:
        json.dump(manifest, out, indent=2, ensure_ascii=False)
        out.write("\n")
