"""A small torchvision Mask R-CNN: plain residual backbone, four-level FPN, batch norm, 3.7 M parameters.

The layers are torchvision's own (MaskRCNN, FeaturePyramidNetwork); only the backbone is ours: a stem that reaches
stride 4 cheaply and one residual block per stage (He et al. 2015, basic block).
"""
from collections import OrderedDict

import torch
from torch import nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign

STAGES = (64, 112, 160, 192)
FPN = 96
BOX = 256
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def conv(inputs, outputs, stride=1, kernel=3):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = conv(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        return torch.relu(x + self.second(self.first(x)))


class Backbone(nn.Module):
    """Image [n,3,h,w] -> four maps of FPN channels at strides 4, 8, 16, 32, named '0' to '3'."""

    def __init__(self):
        super().__init__()
        self.out_channels = FPN
        c2, c3, c4, c5 = STAGES
        self.stem = nn.Sequential(conv(3, 32, 2), conv(32, c2, 2))
        self.stage2 = Residual(c2)
        self.stage3 = nn.Sequential(conv(c2, c3, 2), Residual(c3))
        self.stage4 = nn.Sequential(conv(c3, c4, 2), Residual(c4))
        self.stage5 = nn.Sequential(conv(c4, c5, 2), conv(c5, c5))
        self.fpn = FeaturePyramidNetwork(STAGES, FPN, norm_layer=nn.BatchNorm2d)

    def forward(self, x):
        c2 = self.stage2(self.stem(x))
        c3 = self.stage3(c2)
        c4 = self.stage4(c3)
        c5 = self.stage5(c4)
        return self.fpn(OrderedDict((("0", c2), ("1", c3), ("2", c4), ("3", c5))))


def build(classes, size=320, longest=640, detections=100):
    """`classes` counts without background; `size` is the short side, in pixels, that the graph scales images to."""
    levels = ["0", "1", "2", "3"]
    model = MaskRCNN(
        Backbone(),
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
        box_predictor=Predictor(BOX, classes + 1),
        box_batch_size_per_image=64,
        box_detections_per_img=detections,
        box_score_thresh=0.05,
        mask_roi_pool=MultiScaleRoIAlign(levels, 14, 2),
        mask_head=MaskRCNNHeads(FPN, (FPN,) * 4, 1, norm_layer=nn.BatchNorm2d),
        mask_predictor=MaskRCNNPredictor(FPN, FPN, classes + 1),
    )
    return model


class Predictor(nn.Module):
    """Class scores and box deltas (torchvision's FastRCNNPredictor without its shape assertion)."""

    def __init__(self, inputs, classes):
        super().__init__()
        self.cls_score = nn.Linear(inputs, classes)
        self.bbox_pred = nn.Linear(inputs, classes * 4)

    def forward(self, x):
        return self.cls_score(x), self.bbox_pred(x)


CLASS_HEADS = ("roi_heads.box_predictor.", "roi_heads.mask_predictor.mask_fcn_logits.")


def parameters(model):
    return sum(p.numel() for p in model.parameters())
