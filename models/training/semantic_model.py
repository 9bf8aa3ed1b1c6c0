"""Three small semantic networks, trained from scratch: U-Net, SegNet, DeepLabV3. Input [n,3,h,w] float 0..1, RGB.

- UNet: Ronneberger et al. 2015, four levels, group norm, same padding. One logit, [n,1,h,w].
- SegNet: Badrinarayanan et al. 2017, five levels; the decoder places values where the encoder's max pooling found
  them, and the exported graph keeps that as MaxPool with indices and MaxUnpool. Logits [n,classes,h,w].
- DeepLabV3: Chen et al. 2017, output stride 8, atrous spatial pyramid pooling with rates 3, 6, 12 and image pooling.
  Logits [n,classes,h/8,w/8].
"""
import torch
from torch import nn
from torch.nn import functional as F

from bundled import Residual, conv
from model import MEAN, STD


class MaxPool(torch.autograd.Function):
    """2x2 max pooling with the places of the maxima, differentiated by unpooling."""

    @staticmethod
    def forward(ctx, x):
        pooled, places = F.max_pool2d(x, 2, return_indices=True)
        ctx.save_for_backward(places)
        ctx.size = x.shape[2:]
        ctx.mark_non_differentiable(places)
        return pooled, places

    @staticmethod
    def backward(ctx, gradient, _):
        (places,) = ctx.saved_tensors
        return F.max_unpool2d(gradient.float(), places, 2, output_size=ctx.size)


class MaxUnpool(torch.autograd.Function):
    """The way back: every value at its place, zeros elsewhere; differentiated by gathering."""

    @staticmethod
    def forward(ctx, x, places):
        ctx.save_for_backward(places)
        return F.max_unpool2d(x, places, 2)

    @staticmethod
    def backward(ctx, gradient):
        (places,) = ctx.saved_tensors
        return gradient.flatten(2).gather(2, places.flatten(2)).view_as(places), None


def pool(x):
    return F.max_pool2d(x, 2, return_indices=True) if torch.onnx.is_in_onnx_export() else MaxPool.apply(x)


def unpool(x, places):
    return F.max_unpool2d(x, places, 2) if torch.onnx.is_in_onnx_export() else MaxUnpool.apply(x, places)


class GroupNorm(nn.GroupNorm):
    def forward(self, x):
        # Torch 1.13 normalises in float32 only.
        return super().forward(x.float())


def grouped(inputs, outputs):
    """Normalised picture by picture: micrographs differ so much that a batch's statistics fit none of them (Wu and He 2018)."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), GroupNorm(8, outputs), nn.ReLU(inplace=True))


class UNet(nn.Module):
    WIDTHS = (16, 32, 64, 128)

    def __init__(self):
        super().__init__()
        before = (3,) + self.WIDTHS[:-1]
        self.down = nn.ModuleList(nn.Sequential(grouped(a, b), grouped(b, b)) for a, b in zip(before, self.WIDTHS))
        pairs = list(zip(self.WIDTHS[:0:-1], self.WIDTHS[-2::-1]))
        self.grow = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in pairs)
        self.up = nn.ModuleList(nn.Sequential(grouped(2 * b, b), grouped(b, b)) for _, b in pairs)
        self.head = nn.Conv2d(self.WIDTHS[0], 1, 1)

    def forward(self, x):
        kept = []
        for k, block in enumerate(self.down):
            x = block(x if k == 0 else F.max_pool2d(x, 2))
            kept.append(x)
        for k, (grow, block) in enumerate(zip(self.grow, self.up)):
            x = block(torch.cat((kept[-2 - k], grow(x)), 1))
        return self.head(x)


class Mean(nn.Module):
    """Several networks of one kind, answering with the weighted mean of their logits."""

    def __init__(self, members, weights):
        super().__init__()
        self.members = nn.ModuleList(members)
        self.shares = [weight / sum(weights) for weight in weights]

    def forward(self, x):
        return sum(share * member(x) for share, member in zip(self.shares, self.members))


class SegNet(nn.Module):
    WIDTHS = (16, 32, 64, 128, 192)

    def __init__(self, classes):
        super().__init__()
        before = (3,) + self.WIDTHS[:-1]
        self.down = nn.ModuleList(nn.Sequential(conv(a, b), conv(b, b)) for a, b in zip(before, self.WIDTHS))
        after = self.WIDTHS[-2::-1] + (self.WIDTHS[0],)
        self.up = nn.ModuleList(nn.Sequential(conv(a, a), conv(a, b)) for a, b in zip(self.WIDTHS[::-1], after))
        self.head = nn.Conv2d(self.WIDTHS[0], classes, 1)

    def forward(self, x):
        places = []
        for block in self.down:
            x, found = pool(block(x).float())
            places.append(found)
        for block, found in zip(self.up, reversed(places)):
            x = block(unpool(x.float(), found))
        return self.head(x)


class Pyramid(nn.Module):
    """Atrous spatial pyramid pooling: 1x1, three atrous 3x3, and the mean of the whole map."""

    def __init__(self, inputs, width, rates):
        super().__init__()
        self.one = conv(inputs, width, 1, 1)
        self.atrous = nn.ModuleList(atrous(inputs, width, rate) for rate in rates)
        self.image = nn.Sequential(nn.Conv2d(inputs, width, 1), nn.ReLU(inplace=True))
        self.project = conv((2 + len(rates)) * width, width, 1, 1)

    def forward(self, x):
        whole = self.image(x.mean((2, 3), keepdim=True)).expand(-1, -1, x.shape[2], x.shape[3])
        return self.project(torch.cat([self.one(x)] + [branch(x) for branch in self.atrous] + [whole], 1))


def atrous(inputs, outputs, rate):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, 1, rate, rate, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class AtrousResidual(Residual):
    """The same block, and the same weights, looking twice as far: what a stride before it would have given."""

    def __init__(self, channels, rate):
        super().__init__(channels)
        for layer in (self.first[0], self.second[0]):
            layer.dilation = layer.padding = (rate, rate)


class DeepLabV3(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(3, 1, 1), persistent=False)
        self.body = nn.Sequential(
            conv(3, 32, 2), conv(32, 64, 2), Residual(64), conv(64, 112, 2), Residual(112),
            conv(112, 160), AtrousResidual(160, 2),
        )
        self.pyramid = Pyramid(160, 96, (3, 6, 12))
        self.head = nn.Sequential(nn.Conv2d(96, 96, 3, 1, 1, bias=False), nn.BatchNorm2d(96), nn.ReLU(inplace=True), nn.Conv2d(96, classes, 1))

    def forward(self, x):
        return self.head(self.pyramid(self.body((x - self.mean) / self.std)))

    def begin_from(self, weights):
        """Takes the first four stages of our Mask R-CNN's backbone (`SmallBackbone` of the bundle), its last stride made atrous."""
        layers = {"stem.0": 0, "stem.1": 1, "stage2": 2, "stage3.0": 3, "stage3.1": 4, "stage4.0": 5, "stage4.1": 6}
        for name, k in layers.items():
            prefix = f"backbone.{name}."
            self.body[k].load_state_dict({key[len(prefix):]: value for key, value in weights.items() if key.startswith(prefix)})


def build(kind, classes):
    """`classes` counts the background; U-Net has one logit whatever it is."""
    if kind == "unet":
        return UNet()
    return {"segnet": SegNet, "deeplabv3": DeepLabV3}[kind](classes)
