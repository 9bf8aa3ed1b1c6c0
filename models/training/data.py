"""COCO datasets with RLE or polygon masks, and the augmentations of both trainings. Needs numpy, PIL and torch only."""
import json
import os
import random

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch.nn import functional as F

from bundled import from_counts, from_string, target


def decode(segmentation, height, width):
    """COCO segmentation -> bool mask [height, width]. Uncompressed RLE (column-major, zeros first) or polygons."""
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        return from_counts(from_string(counts) if isinstance(counts, str) else counts, height, width)
    image = Image.new("1", (width, height))
    draw = ImageDraw.Draw(image)
    for ring in segmentation:
        draw.polygon([(ring[k] - 0.5, ring[k + 1] - 0.5) for k in range(0, len(ring), 2)], fill=1, outline=1)
    return np.asarray(image, dtype=bool)


def encode(mask):
    """bool mask [h, w] -> uncompressed counts, column-major, zeros first."""
    flat = np.asarray(mask, dtype=np.uint8).T.reshape(-1)
    edges = np.flatnonzero(np.diff(flat)) + 1
    bounds = np.concatenate(([0], edges, [flat.size]))
    counts = np.diff(bounds).tolist()
    return ([0] + counts) if flat.size and flat[0] else counts


class Coco:
    """Pictures of a COCO file in memory: `items[k]` = (rgb uint8 [h,w,3], labels int [n], masks bool [n,h,w])."""

    def __init__(self, folder, images=None, annotations="annotations.json", keep=None, shrink=1.0):
        with open(os.path.join(folder, annotations)) as file:
            truth = json.load(file)
        self.names = [c["name"] for c in truth["categories"]]
        order = {c["id"]: k + 1 for k, c in enumerate(truth["categories"])}
        by_image = {}
        for annotation in truth["annotations"]:
            by_image.setdefault(annotation["image_id"], []).append(annotation)
        self.folder = images if images is not None else folder
        self.files, self.truth, self.shrink = [], [], shrink
        for image in truth["images"]:
            if keep is not None and not keep(image["file_name"]):
                continue
            found = [a for a in by_image.get(image["id"], []) if not a.get("iscrowd")]
            self.files.append(image)
            self.truth.append((np.array([order[a["category_id"]] for a in found], dtype=np.int64), [a["segmentation"] for a in found]))

    def __len__(self):
        return len(self.files)

    def item(self, index):
        entry = self.files[index]
        labels, segmentations = self.truth[index]
        picture = Image.open(os.path.join(self.folder, entry["file_name"])).convert("RGB")
        size = (entry["width"], entry["height"])
        if picture.size != size:
            raise ValueError(f"{entry['file_name']}: {picture.size} pixels, the annotations say {size}")
        masks = [decode(s, size[1], size[0]) for s in segmentations]
        rgb = np.asarray(picture)
        if self.shrink != 1.0:
            to = (round(size[0] * self.shrink), round(size[1] * self.shrink))
            rgb = np.asarray(picture.resize(to, Image.LANCZOS))
            masks = [np.asarray(Image.fromarray(m).resize(to, Image.NEAREST)) for m in masks]
        stack = np.stack(masks) if masks else np.zeros((0,) + rgb.shape[:2], dtype=bool)
        return rgb, labels, stack


def resize(rgb, masks, scale, antialias):
    """rgb float [3,h,w] and masks uint8 [n,h,w] by a factor; bilinear, as the graph itself resizes."""
    h, w = rgb.shape[1:]
    to = (max(32, round(h * scale)), max(32, round(w * scale)))
    small = F.interpolate(rgb[None], to, mode="bilinear", align_corners=False, antialias=antialias)[0]
    if len(masks) == 0:
        return small, masks.new_zeros((0,) + to)
    return small, (F.interpolate(masks[None].float(), to, mode="bilinear", align_corners=False)[0] > 0.5).to(torch.uint8)


def colour(rgb, rng, strength):
    """Brightness, contrast, saturation, channel gains, gamma and noise; rgb float [3,h,w] in 0..1."""
    gains = torch.tensor([1 + strength * 0.5 * rng.uniform(-1, 1) for _ in range(3)]).view(3, 1, 1)
    rgb = rgb * gains * (1 + strength * rng.uniform(-1, 1))
    mean = rgb.mean()
    rgb = (rgb - mean) * (1 + strength * rng.uniform(-1, 1)) + mean
    grey = rgb.mean(0, keepdim=True)
    rgb = grey + (rgb - grey) * (1 + 1.5 * strength * rng.uniform(-1, 1))
    rgb = rgb.clamp(0, 1) ** (1 + strength * rng.uniform(-0.7, 0.7))
    if rng.random() < 0.3:
        rgb = rgb + torch.randn(rgb.shape) * rng.uniform(0, 0.03)
    return rgb.clamp(0, 1)


def turn(rgb, masks, rng):
    """One of the eight symmetries of the square."""
    if rng.random() < 0.5:
        rgb, masks = rgb.flip(2), masks.flip(2)
    if rng.random() < 0.5:
        rgb, masks = rgb.flip(1), masks.flip(1)
    return rgb, masks


def tensors(item):
    rgb, labels, masks = item
    return torch.from_numpy(rgb.copy()).permute(2, 0, 1).float() / 255, labels, torch.from_numpy(masks.astype(np.uint8))


def scenes_batch(data, indexes, size, seed):
    """A training batch of drawn scenes: one turn by 90 degrees and one scale for the batch, the rest per picture."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    quarter = rng.random() < 0.5
    scale = size * rng.uniform(0.82, 1.22)
    images, targets = [], []
    for index in indexes:
        rgb, labels, masks = tensors(data.item(index))
        rgb, masks = resize(rgb, masks, scale / min(rgb.shape[1:]), rng.random() < 0.5)
        rgb, masks = turn(rgb, masks, rng)
        if quarter:
            rgb, masks = rgb.transpose(1, 2), masks.transpose(1, 2)
        images.append(colour(rgb, rng, 0.16).contiguous())
        targets.append(target(labels, masks.contiguous()))
    return images, targets
