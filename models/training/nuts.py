"""The photographs of dates, figs and hazelnuts: the split, and augmentation strong enough for fourteen pictures."""
import os
import random

import numpy as np
import torch
from torch.nn import functional as F

import data as pictures

# Held out: file number 3, 7, 11, 15 (number mod 4 = 3), fixed before anything was trained. All classes are in it.
HELD = ("3.jpg", "7.jpg", "11.jpg", "15.jpg")
# Pictures are kept in memory at this share of their 800x600 pixels.
SHRINK = 0.75


def split(folder):
    images = os.path.join(folder, "images")
    train = pictures.Coco(folder, images, "trainval.json", lambda name: name not in HELD, SHRINK)
    held = pictures.Coco(folder, images, "trainval.json", lambda name: name in HELD)
    return train, held


class Collection:
    """All training pictures decoded, and every instance cut out, to be pasted onto others."""

    def __init__(self, data):
        self.items = [pictures.tensors(data.item(k)) for k in range(len(data))]
        self.pieces = {}
        for rgb, labels, masks in self.items:
            for label, mask in zip(labels, masks):
                ys, xs = torch.where(mask.any(1))[0], torch.where(mask.any(0))[0]
                box = (slice(int(ys[0]), int(ys[-1]) + 1), slice(int(xs[0]), int(xs[-1]) + 1))
                self.pieces.setdefault(int(label), []).append((rgb[:, box[0], box[1]], mask[box].float()))

    def paste(self, rgb, labels, masks, rng):
        """Lays up to six cut-out instances over a picture; one that would hide most of another isn't laid."""
        rgb, labels, masks = rgb.clone(), list(labels), list(masks)
        for _ in range(rng.randrange(7)):
            label = rng.choice(sorted(self.pieces))
            patch, cut = rng.choice(self.pieces[label])
            patch, cut = spin(patch, cut, rng.uniform(0, 360), rng.uniform(0.75, 1.3), rng.random() < 0.5)
            patch = pictures.colour(patch, rng, 0.12)
            h, w = cut.shape
            if h >= rgb.shape[1] or w >= rgb.shape[2]:
                continue
            y, x = rng.randrange(rgb.shape[1] - h), rng.randrange(rgb.shape[2] - w)
            solid = cut > 0.5
            spot = (slice(y, y + h), slice(x, x + w))
            if any(int((m[spot].bool() & solid).sum()) > 0.45 * int(m.sum()) for m in masks):
                continue
            # A soft shadow first, or pasted things float.
            shade = F.avg_pool2d(F.pad(cut[None, None], (6, 6, 6, 6)), 9, 1, 4)[0, 0, 6:-6, 6:-6] * rng.uniform(0, 0.5)
            dy, dx = min(rng.randrange(6), rgb.shape[1] - h - y), min(rng.randrange(6), rgb.shape[2] - w - x)
            rgb[:, y + dy : y + dy + h, x + dx : x + dx + w] *= 1 - shade
            rgb[:, spot[0], spot[1]] = rgb[:, spot[0], spot[1]] * (1 - cut) + patch * cut
            for k, mask in enumerate(masks):
                if bool((mask[spot].bool() & solid).any()):
                    masks[k] = mask.clone()
                    masks[k][spot][solid] = 0
            whole = torch.zeros(rgb.shape[1:], dtype=torch.uint8)
            whole[spot] = solid.to(torch.uint8)
            masks.append(whole)
            labels.append(label)
        return rgb, np.array(labels, dtype=np.int64), torch.stack(masks)

    def batch(self, count, size, seed):
        """`count` pictures of one shape, the short side `size` pixels, upright or lying."""
        rng = random.Random(seed)
        torch.manual_seed(seed)
        longer = round(size * 4 / 3)
        shape = (size, longer) if rng.random() < 0.5 else (longer, size)
        images, targets = [], []
        for _ in range(count):
            rgb, labels, masks = rng.choice(self.items)
            if rng.random() < 0.75:
                rgb, labels, masks = self.paste(rgb, labels, masks, rng)
            rgb, masks = warp(rgb, masks, shape, rng)
            rgb, masks = pictures.turn(rgb, masks, rng)
            images.append(pictures.colour(rgb, rng, 0.25).contiguous())
            targets.append(pictures.target(labels, masks.contiguous(), 60))
        return images, targets


def spin(patch, cut, degrees, scale, mirrored):
    """Turns and scales a cut-out [3,h,w] with its mask [h,w]; the answer is just big enough."""
    angle = torch.deg2rad(torch.tensor(degrees))
    cos, sin = float(angle.cos()), float(angle.sin())
    h, w = cut.shape
    width = max(4, int((abs(cos) * w + abs(sin) * h) * scale))
    height = max(4, int((abs(sin) * w + abs(cos) * h) * scale))
    flip = -1.0 if mirrored else 1.0
    # Output pixel -> source pixel, both in [-1, 1].
    theta = torch.tensor([[flip * cos * width / w / scale, flip * sin * height / w / scale, 0], [-sin * width / h / scale, cos * height / h / scale, 0]])
    grid = F.affine_grid(theta[None], (1, 1, height, width), align_corners=False)
    both = torch.cat((patch, cut[None]))[None]
    out = F.grid_sample(both, grid, padding_mode="zeros", align_corners=False)[0]
    alpha = out[3].clamp(0, 1)
    # Colours were mixed with the zeros around the patch; divide that out at the rim.
    inside = F.grid_sample(torch.ones_like(cut)[None, None], grid, padding_mode="zeros", align_corners=False)[0, 0]
    return out[:3] / inside.clamp(min=0.2), alpha * (inside > 0.5)


def warp(rgb, masks, shape, rng):
    """A random window of the picture, any quarter turn plus up to 20 degrees, scaled 0.75 to 1.5, to `shape` pixels."""
    height, width = shape
    h, w = rgb.shape[1:]
    degrees = 90 * rng.randrange(4) + (rng.uniform(-20, 20) if rng.random() < 0.5 else 0)
    angle = torch.deg2rad(torch.tensor(float(degrees)))
    cos, sin = float(angle.cos()), float(angle.sin())
    zoom = min(height, width) / min(h, w) * rng.uniform(0.75, 1.5)
    px = width / zoom / w
    py = height / zoom / h
    slack = max(0.05, 1 - 1 / (zoom * min(h, w) / min(height, width)))
    tx, ty = rng.uniform(-slack, slack), rng.uniform(-slack, slack)
    theta = torch.tensor([[cos * px, sin * (height / zoom / w), tx], [-sin * (width / zoom / h), cos * py, ty]])
    grid = F.affine_grid(theta[None], (1, 1, height, width), align_corners=False)
    out = F.grid_sample(rgb[None], grid, padding_mode="border", align_corners=False)[0]
    moved = F.grid_sample(masks[None].float(), grid, padding_mode="zeros", align_corners=False)[0]
    return out, (moved > 0.5).to(torch.uint8)
