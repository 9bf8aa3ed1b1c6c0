"""A small torchvision Mask R-CNN: plain residual backbone, four-level FPN, batch norm, 3.7 M parameters.

The layers are torchvision's own; backbone and box head are those of the small network of a retraining bundle. Its anchors and
its number of detections are other ones.
"""
from torch import nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import MultiScaleRoIAlign

from bundled import SmallBackbone, SmallPredictor

FPN = 96
BOX = 256
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def build(classes, size=320, longest=640, detections=100):
    """`classes` counts without background; `size` is the short side, in pixels, that the graph scales images to."""
    levels = ["0", "1", "2", "3"]
    model = MaskRCNN(
        SmallBackbone(),
        min_size=size,
        max_size=longest,
        image_mean=MEAN,
        image_std=STD,
        rpn_anchor_generator=AnchorGenerator(((24,), (48,), (96,), (192,)), ((0.5, 1.0, 2.0),) * 4),
        rpn_pre_nms_top_n_train=400,
        rpn_post_nms_top_n_train=150,
        rpn_pre_nms_top_n_test=400,
        rpn_post_nms_top_n_test=150,
        rpn_batch_size_per_image=64,
        box_roi_pool=MultiScaleRoIAlign(levels, 7, 2),
        box_head=nn.Sequential(nn.Flatten(1), nn.Linear(FPN * 49, BOX), nn.ReLU(), nn.Linear(BOX, BOX), nn.ReLU()),
        box_predictor=SmallPredictor(BOX, classes + 1),
        box_batch_size_per_image=64,
        box_detections_per_img=detections,
        box_score_thresh=0.05,
        mask_roi_pool=MultiScaleRoIAlign(levels, 14, 2),
        mask_head=MaskRCNNHeads(FPN, (FPN,) * 4, 1, norm_layer=nn.BatchNorm2d),
        mask_predictor=MaskRCNNPredictor(FPN, FPN, classes + 1),
    )
    return model


def parameters(model):
    return sum(p.numel() for p in model.parameters())
