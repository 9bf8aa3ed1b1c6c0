"""Micrographs of nuclei for `semantic_train.py unet`: the split of the pictures, and the windows of `--strong`.

Eleven pictures are few, so a window goes through what differs between microscopes: turn, scale and warp, a second layer
of cells over the first, nuclei of unlike brightness, light from outside the focus, defocus, uneven light, exposure and
noise. A share of the windows comes from micrographs that `drawn` draws, with exact truth.
"""
import json
import math
import os
import random

import numpy as np
import torch
from torch.nn import functional as F

import data as pictures

# Side of a training window and of a drawn micrograph, pixels.
SIDE = 160
DRAWN_SIDE = 224
# How many micrographs are drawn, and which share of the windows comes from them.
DRAWINGS, DRAWN_SHARE = 64, 0.3


def split(folder, held, fold=None):
    """Every fourth picture in the order of names is held out, fixed before anything was trained. Cross-validation knows
    the others only: every third of them makes a fold (`fold` 0 to 2), and `held` then means out of that fold."""
    with open(os.path.join(folder, "instances.json")) as file:
        names = sorted(image["file_name"] for image in json.load(file)["images"])
    chosen = [name for k, name in enumerate(names) if (k % 4 == 3) == (held and fold is None)]
    if fold is not None:
        chosen = [name for k, name in enumerate(chosen) if (k % 3 == fold) == held]
    return pictures.Coco(folder, os.path.join(folder, "images"), "instances.json", lambda name: name in chosen)


def load(data):
    """-> list of (rgb float [3,h,w] 0..1, instance number of every pixel float [h,w], 0 is background)"""
    items = []
    for k in range(len(data)):
        rgb, _, masks = data.item(k)
        ids = np.zeros(rgb.shape[:2], dtype=np.float32)
        for number, mask in enumerate(masks):
            ids[mask] = number + 1
        items.append((torch.from_numpy(rgb.copy()).permute(2, 0, 1).float() / 255, torch.from_numpy(ids)))
    return items


def blur(x, sigma):
    """A Gaussian over [1,h,w]; a wide one is taken on a smaller picture."""
    h, w = x.shape[1:]
    shrink = max(1, int(sigma / 3))
    small = F.avg_pool2d(x[None], shrink, ceil_mode=True) if shrink > 1 else x[None]
    s = sigma / shrink
    reach = min(int(3 * s) + 1, min(small.shape[2:]) - 1)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / s) ** 2)
    kernel = kernel / kernel.sum()
    small = F.conv2d(F.pad(small, (reach, reach, 0, 0), "reflect"), kernel.view(1, 1, 1, -1))
    small = F.conv2d(F.pad(small, (0, 0, reach, reach), "reflect"), kernel.view(1, 1, -1, 1))
    return small[0] if shrink == 1 else F.interpolate(small, (h, w), mode="bilinear", align_corners=False)[0]


def smooth(side, knots):
    """A smooth random field [1,side,side] of about unit deviation."""
    return F.interpolate(torch.randn(1, 1, knots, knots), (side, side), mode="bicubic", align_corners=True)[0]


def window(item, side, rng):
    """A window turned, scaled, stretched and sometimes warped; outside is the border mirrored."""
    rgb, ids = item
    h, w = ids.shape
    zoom, stretch = math.exp(rng.uniform(math.log(0.5), math.log(2.0))), math.exp(rng.uniform(-0.18, 0.18))
    angle = rng.uniform(0, 2 * math.pi)
    at = torch.arange(side) - (side - 1) / 2
    y, x = (at[:, None] / (zoom * stretch)).expand(side, side), (at[None] * stretch / zoom).expand(side, side)
    if rng.random() < 0.5:
        x = -x
    if rng.random() < 0.4:
        strength = rng.uniform(0, 5) / zoom
        x, y = x + strength * smooth(side, 5)[0], y + strength * smooth(side, 5)[0]
    x, y = math.cos(angle) * x - math.sin(angle) * y, math.sin(angle) * x + math.cos(angle) * y
    half = side / zoom / 2
    x = x + (rng.uniform(half, w - half) if w > 2 * half else w / 2)
    y = y + (rng.uniform(half, h - half) if h > 2 * half else h / 2)
    grid = torch.stack((x * 2 / w - 1, y * 2 / h - 1), 2)[None]
    image = F.grid_sample(rgb[None], grid, padding_mode="reflection", align_corners=False)[0]
    return image, F.grid_sample(ids[None, None], grid, mode="nearest", padding_mode="reflection", align_corners=False)[0]


def quantile(x, share):
    flat = x.reshape(-1)[::7]
    return flat.kthvalue(max(1, min(len(flat), round(share * len(flat)))))[0]


def light(image):
    """Fluorescence as light above the ground, its bright parts 1; [1,h,w]."""
    grey = image.mean(0, keepdim=True)
    low, high = quantile(grey, 0.1), quantile(grey, 0.995)
    return (grey - low) / (high - low).clamp(min=0.02)


def unlike(x, ids, spread, rng):
    """Every nucleus its own brightness, with the ground left as it is."""
    gains = torch.exp(spread * torch.randn(int(ids.max()) + 1)).clamp(0.25, 3)
    gains[0] = 1
    return x * blur(gains[ids.long()], rng.uniform(0.8, 2.0))


def exposed(x, rng):
    """Light [1,h,w] -> what a camera makes of it, rgb [3,h,w]: ground, gain, gamma, noise, eight bits, rarely a colour."""
    side = x.shape[1]
    if rng.random() < 0.45:
        x = x + rng.uniform(0.1, 0.8) * blur(x, rng.uniform(6, 24))
    if rng.random() < 0.4:
        sigma = rng.uniform(0.6, 3.0)
        soft = blur(x, sigma)
        # Half of the time only part of the picture is out of focus.
        share = torch.sigmoid(3 * smooth(side, 4)) if rng.random() < 0.5 else 1.0
        x = x + share * (soft - x)
    if rng.random() < 0.3:
        x = x * torch.exp(rng.uniform(0, 0.4) * smooth(side, 3))
    if rng.random() < 0.3:
        x = x + rng.uniform(0, 0.08) * smooth(side, rng.choice((3, 6)))
    x = (x / quantile(x, 0.997).clamp(min=0.05)).clamp(min=0)
    if rng.random() < 0.5:
        x = x ** math.exp(rng.uniform(-0.45, 0.45))
    gain = math.exp(rng.uniform(math.log(0.12), math.log(1.3)))
    x = gain * (x + rng.uniform(0, 0.15))
    if rng.random() < 0.6:
        x = x + torch.randn(x.shape) * gain * rng.uniform(0, 0.06) * (0.3 + x.clamp(0, 1).sqrt())
    x = (x.clamp(0, 1) * 255).round() / 255
    kind = rng.random()
    if kind < 0.08:
        # Light absorbed instead of sent out: dark nuclei on a bright ground, in some stain.
        stain = torch.tensor([rng.uniform(0.4, 1.3) for _ in range(3)]).view(3, 1, 1)
        return torch.exp(-rng.uniform(1, 2.5) / gain * x * stain) * rng.uniform(0.7, 1.0)
    if kind < 0.2:
        tint = torch.tensor([rng.uniform(0, 1) for _ in range(3)])
        return x * (tint / tint.max().clamp(min=0.2)).view(3, 1, 1)
    return x.expand(3, -1, -1)


def stained(image, rng):
    """Tissue: another stain, another lamp, another focus."""
    mix = torch.eye(3) + 0.15 * torch.randn(3, 3)
    density = -torch.log(image.clamp(0.02, 1)).reshape(3, -1)
    image = torch.exp(-rng.uniform(0.6, 1.5) * (mix @ density).clamp(min=0)).reshape(image.shape)
    image = pictures.colour(image, rng, 0.25)
    if rng.random() < 0.4:
        sigma = rng.uniform(0.5, 2.0)
        image = torch.cat([blur(channel[None], sigma) for channel in image])
    return image


def drawn(rng):
    """A crowded micrograph drawn by chance: (light [1,h,w], instance numbers [h,w]). Three layers of focus, textured
    nuclei of unlike brightness, often in clusters. The truth of a blurred nucleus is drawn wide, as people draw it."""
    side = DRAWN_SIDE
    numbers = np.random.default_rng(rng.getrandbits(32))
    radius, uneven, rough = numbers.uniform(5, 18), numbers.uniform(0.1, 0.7), numbers.uniform(0.05, 0.5)
    focus = (numbers.uniform(0.5, 1.2), numbers.uniform(1.2, 2.5), numbers.uniform(2.5, 4.5))
    often = numbers.dirichlet((2, 1, 0.6))
    cover = numbers.uniform(0.05, 0.6)
    clusters = numbers.uniform(0, side, (numbers.integers(2, 8), 2))
    tight, spread = numbers.uniform(0, 1), numbers.uniform(20, 70)
    layers, ids = np.zeros((3, side, side), np.float32), np.zeros((side, side), np.float32)
    texture = [smooth(side, knots)[0].numpy() for knots in (side // 4, side // 8)]
    ys, xs = np.mgrid[0:side, 0:side].astype(np.float32)
    for number in range(1, 1 + int(cover * side * side / (math.pi * radius * radius)) + 1):
        size = radius * np.exp(numbers.normal(0, 0.25))
        if numbers.random() < tight:
            x0, y0 = clusters[numbers.integers(len(clusters))] + numbers.normal(0, spread, 2)
        else:
            x0, y0 = numbers.uniform(0, side, 2)
        reach = int(2.4 * size) + 6
        top, left = max(0, int(y0) - reach), max(0, int(x0) - reach)
        part = (slice(top, max(top, int(y0) + reach)), slice(left, max(left, int(x0) + reach)))
        if ys[part].size == 0:
            continue
        turn, flat = numbers.uniform(0, math.pi), np.exp(numbers.uniform(0, 0.3))
        u = (np.cos(turn) * (xs[part] - x0) + np.sin(turn) * (ys[part] - y0)) / flat
        v = (np.cos(turn) * (ys[part] - y0) - np.sin(turn) * (xs[part] - x0)) * flat
        around = np.arctan2(v, u)
        edge = size * (1 + sum(numbers.normal(0, 0.09 / k) * np.cos(k * around + numbers.uniform(0, 6.3)) for k in (2, 3, 4)))
        depth = edge - np.hypot(u, v)
        inside = np.clip(depth + 0.5, 0, 1)
        dome = 0.6 + 0.4 * np.sqrt(np.clip(depth / size, 0, 1))
        grain = np.clip(1 + rough * (texture[0][part] + texture[1][part]), 0.2, 2.5)
        layer = numbers.choice(3, p=often)
        layers[layer][part] += inside * dome * grain * np.exp(numbers.normal(0, uneven))
        ids[part][depth > -0.35 * focus[layer]] = number
    x = sum(blur(torch.from_numpy(layer)[None], sigma) for layer, sigma in zip(layers, focus))
    if numbers.random() < 0.4:
        # Cytoplasm and debris, which are no nuclei.
        x = x + 0.12 * blur((smooth(side, 20) - 1.0).clamp(min=0), 2)
    return x, torch.from_numpy(ids)


class Batches:
    """The windows, the same for the same seed. Pictures without colour are taken for fluorescence."""

    def __init__(self, items, seed):
        self.items = items
        self.grey = [k for k, (rgb, _) in enumerate(items) if float((rgb.amax(0) - rgb.amin(0)).mean()) < 0.02]
        rng = random.Random(seed)
        torch.manual_seed(seed)
        self.drawings = [drawn(rng) for _ in range(DRAWINGS)]

    def one(self, rng):
        """-> rgb [3,side,side], truth [side,side]"""
        if rng.random() < DRAWN_SHARE:
            x, ids = window(rng.choice(self.drawings), SIDE, rng)
            return exposed(x, rng), ids[0] > 0
        k = rng.randrange(len(self.items))
        image, ids = window(self.items[k], SIDE, rng)
        if k not in self.grey:
            return stained(image, rng), ids[0] > 0
        x, truth = light(image), ids[0] > 0
        if rng.random() < 0.4:
            x = unlike(x, ids, rng.uniform(0.1, 0.6), rng)
        if rng.random() < 0.35:
            other, more = window(self.items[rng.choice(self.grey)], SIDE, rng)
            x = x + rng.uniform(0.35, 1.0) * light(other)
            truth = truth | (more[0] > 0)
        return exposed(x, rng), truth

    def batch(self, count, seed):
        rng = random.Random(seed)
        torch.manual_seed(seed)
        pairs = [self.one(rng) for _ in range(count)]
        return torch.stack([image for image, _ in pairs]), torch.stack([truth for _, truth in pairs]).long()
