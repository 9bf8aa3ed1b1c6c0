"""Writes the three tiny, untrained Mask R-CNNs that the engine's tests run, with PyTorch's own answers.

They find nothing sensible: their weights are random. What they test is that our way from an image file
to instances gives what torchvision gives, for each signature, in a second instead of a minute:
  tiny-torchvision  image [3,H,W] RGB 0..1, masks pasted at full size by the graph
  tiny-zoo          image [3,H,W] BGR minus mean, resized and padded; 28 x 28 masks, pasted by the caller
                    (the signature of the ONNX model zoo's MaskRCNN-12)
  tiny-detectron2   image [3,H,W] BGR 0..255, resized; mean and padding in the graph; classes from 0, their order and
                    names as Detectron2's export_model.py gives them in tracing mode

Usage: /usr/bin/python3 make_tiny_models.py   (torch 1.13, torchvision 0.14, onnx 1.12, numpy, Pillow)
"""
import hashlib, json, os, sys
import numpy as np
import torch
from torch import nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import AnchorGenerator
from torchvision.ops import MultiScaleRoIAlign
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.dirname(HERE))
from coco_rle import rle  # noqa: E402

LABELS = ["alpha", "beta", "gamma"]
MEAN_BGR = np.array([102.9801, 115.9465, 122.7717], np.float32)
SHORT, LONG, PAD = 160, 256, 32
# Names of the graphs' outputs in their order; those of the manifest's keys.
ZOO_OUTPUTS = ["boxes", "labels", "scores", "masks"]
DETECTRON_OUTPUTS = ["pred_boxes", "pred_classes", "pred_masks", "scores", "image_size"]
torch.manual_seed(11)
torch.set_num_threads(1)


class Backbone(nn.Module):
    out_channels = 8

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 7, 4, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.Tanh(), nn.Conv2d(8, 8, 3, 2, 1)
        )

    def forward(self, x):
        return self.body(x)


def build():
    model = MaskRCNN(
        Backbone(), min_size=SHORT, max_size=LONG,
        image_mean=[0, 0, 0], image_std=[1, 1, 1],
        rpn_anchor_generator=AnchorGenerator(((32, 64),), ((0.5, 1.0, 2.0),)),
        box_roi_pool=MultiScaleRoIAlign(["0"], 7, 2), mask_roi_pool=MultiScaleRoIAlign(["0"], 14, 2),
        box_head=nn.Sequential(nn.Flatten(1), nn.Linear(8 * 49, 16), nn.ReLU()),
        box_predictor=Predictor(16, len(LABELS) + 1),
        mask_head=nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1), nn.Tanh()),
        mask_predictor=nn.Sequential(nn.ConvTranspose2d(8, 8, 2, 2), nn.Tanh(), nn.Conv2d(8, len(LABELS) + 1, 1)),
        rpn_pre_nms_top_n_test=60, rpn_post_nms_top_n_test=30, box_detections_per_img=8,
        box_score_thresh=0.05, box_nms_thresh=0.4,
    )
    # Random weights answer everything with about the same score; spread them, so that the order of
    # the detections does not hang on the last bit of a float.
    with torch.no_grad():
        for part, factor in ((model.backbone, 3), (model.rpn.head, 12), (model.roi_heads, 3)):
            for weights in part.parameters():
                if weights.dim() > 1:
                    weights.mul_(factor)
        model.roi_heads.box_predictor.cls_score.weight.mul_(4)
        model.rpn.head.bbox_pred.weight.mul_(0.02)
        model.roi_heads.box_predictor.bbox_pred.weight.mul_(0.1)
    return model.eval()


class Predictor(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.cls_score = nn.Linear(channels, classes)
        self.bbox_pred = nn.Linear(channels, classes * 4)

    def forward(self, x):
        return self.cls_score(x), self.bbox_pred(x)


class Torchvision(nn.Module):
    """[3,H,W] RGB 0..1 -> boxes, labels, scores, masks [n,1,H,W]"""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image):
        found = self.model([image])[0]
        return found["boxes"], found["labels"], found["scores"], found["masks"]


class Zoo(nn.Module):
    """[3,H,W] BGR minus mean, sizes multiples of 32 -> boxes, labels, scores, masks [n,1,28,28]"""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image):
        batch = image.unsqueeze(0) / 255.0
        features = {"0": self.model.backbone(batch)}
        sizes = [(batch.shape[-2], batch.shape[-1])]
        images = ImageList(batch, sizes)
        proposals, _ = self.model.rpn(images, features)
        found = self.model.roi_heads(features, proposals, sizes)[0][0]
        return found["boxes"], found["labels"], found["scores"], found["masks"]


class Detectron2(nn.Module):
    """[3,H,W] BGR 0..255 -> pred_boxes, pred_classes from 0, pred_masks [n,1,28,28], scores, image_size"""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.register_buffer("mean", torch.from_numpy(MEAN_BGR).view(3, 1, 1))

    def forward(self, image):
        height, width = image.shape[1], image.shape[2]
        batch = nn.functional.pad((image - self.mean) / 255.0, (0, -width % PAD, 0, -height % PAD)).unsqueeze(0)
        sizes = [(height, width)]
        features = {"0": self.model.backbone(batch)}
        proposals, _ = self.model.rpn(ImageList(batch, sizes), features)
        found = self.model.roi_heads(features, proposals, sizes)[0][0]
        size = torch.stack([torch.as_tensor(height), torch.as_tensor(width)])
        return found["boxes"], found["labels"] - 1, found["masks"], found["scores"], size


def photo(width, height):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    red = 127 + 90 * np.sin(x / 17) * np.cos(y / 23)
    green = 120 + 100 * ((x - 60) ** 2 + (y - 70) ** 2 < 40**2)
    blue = 200 - 120 * ((abs(x - 140) < 35) & (abs(y - 80) < 45)) + 20 * np.cos((x + y) / 9)
    return np.clip(np.stack([red, green, blue], -1), 0, 255).astype(np.uint8)


def paste(mask, box, height, width, threshold):
    """Detectron2's paste_masks_in_image: grid_sample with half-pixel centres, zeros outside."""
    x0, y0, x1, y1 = [float(v) for v in box]
    ys = (torch.arange(0, height) + 0.5 - y0) / (y1 - y0) * 2 - 1
    xs = (torch.arange(0, width) + 0.5 - x0) / (x1 - x0) * 2 - 1
    grid = torch.stack([xs[None, :].expand(height, width), ys[:, None].expand(height, width)], -1)[None].float()
    return (nn.functional.grid_sample(mask[None], grid, align_corners=False)[0, 0] >= threshold).numpy()


def instances(found, masks, scale, width, height):
    out = []
    for box, label, score, mask in zip(found[0] / scale, found[1], found[2], masks):
        if not mask.any():
            continue
        x0, y0, x1, y1 = [float(v) for v in box]
        out.append({"label": LABELS[int(label) - 1], "score": float(score), "box": [x0, y0, x1 - x0, y1 - y0], "rle": rle(mask)})
    return {"width": width, "height": height, "instances": out}


def write(name, module, example, answers, variant, color, value_range, mean, fit, outputs=ZOO_OUTPUTS, first=1):
    folder = os.path.join(HERE, name)
    os.makedirs(os.path.join(folder, "golden"), exist_ok=True)
    path = os.path.join(folder, "model.onnx")
    torch.onnx.export(
        module, (example,), path, opset_version=11, input_names=["image"],
        output_names=outputs,
        dynamic_axes={"image": {1: "height", 2: "width"}, **{key: {0: "n"} for key in outputs[:4]}},
    )
    data = open(path, "rb").read()
    goldens = []
    for golden, pixels, answer in answers:
        Image.fromarray(pixels).save(os.path.join(folder, "golden", f"{golden}.png"))
        json.dump(answer, open(os.path.join(folder, "golden", f"{golden}.json"), "w"))
        goldens.append({"image": f"golden/{golden}.png", "expected": f"golden/{golden}.json", "minIou": 0.98, "maxScoreDifference": 0.001})
        print(name, golden, len(data), "bytes", [(i["label"], round(i["score"], 3)) for i in answer["instances"]])
    manifest = {
        "format": 1, "id": name, "name": f"Untrained test model, {variant} signature", "version": "1",
        "family": "mask-rcnn", "variant": variant,
        "file": {"path": "model.onnx", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()},
        "input": {"name": "image", "color": color, "range": value_range, "mean": mean, "std": [1, 1, 1], "fit": fit},
        "outputs": dict(zip(["boxes", "labels", "masks", "scores"] if first == 0 else ZOO_OUTPUTS, outputs)),
        "labels": LABELS, "labelOffset": first, "thresholds": {"score": 0.3, "keep": 0.05, "mask": 0.5},
        "license": "Apache-2.0", "source": "test/tiny-models/make_tiny_models.py",
        "goldens": goldens,
    }
    json.dump(manifest, open(os.path.join(folder, "manifest.json"), "w"), indent=2)


def resized(pixels):
    """Short side first, as Detectron does."""
    height, width = pixels.shape[:2]
    scale = SHORT / min(width, height)
    if max(width, height) * scale > LONG:
        scale = LONG / max(width, height)
    small = Image.fromarray(pixels).resize((int(scale * width), int(scale * height)), Image.BILINEAR)
    return np.asarray(small, np.float32)[:, :, ::-1], scale


def prepare_zoo(pixels):
    """The ONNX model zoo's preprocessing, word for word but for the sizes."""
    bgr, scale = resized(pixels)
    bgr = bgr - MEAN_BGR
    padded = np.zeros((3, -(-bgr.shape[0] // PAD) * PAD, -(-bgr.shape[1] // PAD) * PAD), np.float32)
    padded[:, : bgr.shape[0], : bgr.shape[1]] = bgr.transpose(2, 0, 1)
    return torch.from_numpy(padded), scale


def main():
    model = build()
    # Two sizes: the graph is traced with the first, and must not have kept its numbers.
    photos = [("wide", photo(200, 150)), ("tall", photo(90, 260))]
    with torch.no_grad():
        answers, examples = [], []
        for golden, pixels in photos:
            height, width = pixels.shape[:2]
            rgb = torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 255)
            examples.append(rgb)
            found = Torchvision(model).eval()(rgb)
            masks = [(m[0] >= 0.5).numpy() for m in found[3]]
            answers.append((golden, pixels, instances(found, masks, 1, width, height)))
        write("tiny-torchvision", Torchvision(model).eval(), examples[0], answers,
              "torchvision", "rgb", 1, [0, 0, 0], {"mode": "none", "maxPixels": 1000000})
        answers, examples = [], []
        for golden, pixels in photos:
            height, width = pixels.shape[:2]
            example, scale = prepare_zoo(pixels)
            examples.append(example)
            found = Zoo(model).eval()(example)
            masks = [paste(m, b / scale, height, width, 0.5) for m, b in zip(found[3], found[0])]
            answers.append((golden, pixels, instances(found, masks, scale, width, height)))
        write("tiny-zoo", Zoo(model).eval(), examples[0], answers,
              "zoo", "bgr", 255, [float(v) for v in MEAN_BGR],
              {"mode": "short-side", "shortSide": SHORT, "longSide": LONG, "padMultiple": PAD})
        answers, examples = [], []
        for golden, pixels in photos:
            height, width = pixels.shape[:2]
            bgr, scale = resized(pixels)
            examples.append(torch.from_numpy(bgr.transpose(2, 0, 1).copy()))
            boxes, classes, found, scores, _ = Detectron2(model).eval()(examples[-1])
            masks = [paste(m, b / scale, height, width, 0.5) for m, b in zip(found, boxes)]
            answers.append((golden, pixels, instances((boxes, classes + 1, scores), masks, scale, width, height)))
        write("tiny-detectron2", Detectron2(model).eval(), examples[0], answers, "detectron2", "bgr", 255, [0, 0, 0],
              {"mode": "short-side", "shortSide": SHORT, "longSide": LONG, "padMultiple": 1}, DETECTRON_OUTPUTS, 0)


main()
