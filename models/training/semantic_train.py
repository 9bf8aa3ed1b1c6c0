"""Trains a semantic network, within a time or a number of steps.

    python3 semantic_train.py unet      --data NUCLEI     --out RUN/unet      --minutes 24 --batch 6 --average 0.995
    python3 semantic_train.py unet      --data NUCLEI     --out RUN/unet-2    --minutes 42 --batch 4 --average 0.995 --strong
    python3 semantic_train.py segnet    --data DATA/train --out RUN/segnet    --minutes 58 --batch 6 --limit 1600
    python3 semantic_train.py deeplabv3 --data DATA/train --out RUN/deeplabv3 --minutes 28 --batch 8 --limit 1600 --backbone RUN/scenes/checkpoint.pt

Crops of 192 (nuclei) or 224 pixels, turned, scaled and recoloured, or for nuclei the windows of `nuclei.py` (`--strong`);
AdamW 2e-3 with a warm-up and a cosine over the run. SegNet and DeepLabV3: cross entropy, classes weighted by the inverse
square root of their frequency; U-Net: binary cross entropy plus Dice. `checkpoint.pt` is rewritten every minute and at the end.
"""
import argparse
import copy
import math
import os
import random
import time

import numpy as np
import torch
from torch.nn import functional as F

import data as pictures
import nuclei
import semantic_model as networks

# Side of a training window: nuclei, scenes.
CROPS = {"unet": 192, "segnet": 224, "deeplabv3": 224}
# Scenes are seen at this share of their 640x480 pixels; inference scales them alike.
SCENE_SHRINK = 0.75


def label_map(labels, masks, shape):
    out = np.zeros(shape, dtype=np.uint8)
    for label, mask in zip(labels, masks):
        out[mask] = label
    return out


def load(data, limit):
    """-> list of (rgb uint8 [3,h,w], class map uint8 [h,w])"""
    items = []
    for k in range(min(limit, len(data))):
        rgb, labels, masks = data.item(k)
        items.append((torch.from_numpy(rgb.copy()).permute(2, 0, 1).contiguous(), torch.from_numpy(label_map(labels, masks, rgb.shape[:2]))))
    return items


def crop(rgb, truth, side, scales, rng):
    """A window of `side` pixels, scaled, in one of the eight symmetries; outside is the border mirrored."""
    zoom = math.exp(rng.uniform(math.log(scales[0]), math.log(scales[1])))
    h, w = truth.shape
    px, py = side / zoom / w, side / zoom / h
    tx = rng.uniform(-1, 1) * max(0.0, 1 - px)
    ty = rng.uniform(-1, 1) * max(0.0, 1 - py)
    theta = torch.tensor([[[px, 0, tx], [0, py, ty]]])
    grid = F.affine_grid(theta, (1, 1, side, side), align_corners=False)
    image = F.grid_sample(rgb[None].float() / 255, grid, padding_mode="reflection", align_corners=False)[0]
    labels = F.grid_sample(truth[None, None].float(), grid, mode="nearest", padding_mode="reflection", align_corners=False)[0, 0].long()
    if rng.random() < 0.5:
        image, labels = image.flip(2), labels.flip(1)
    if rng.random() < 0.5:
        image, labels = image.flip(1), labels.flip(0)
    if rng.random() < 0.5:
        image, labels = image.transpose(1, 2), labels.transpose(0, 1)
    return image, labels


def batch(items, count, kind, seed):
    rng = random.Random(seed)
    torch.manual_seed(seed)
    images, truths = [], []
    for _ in range(count):
        rgb, truth = rng.choice(items)
        image, labels = crop(rgb, truth, CROPS[kind], (0.6, 1.7) if kind == "unet" else (0.8, 1.25), rng)
        image = pictures.colour(image, rng, 0.25 if kind == "unet" else 0.16)
        if kind == "unet" and rng.random() < 0.5:
            # Exposure of microscopes differs by far more than that of photographs.
            image = (image * rng.uniform(0.5, 3.5)).clamp(0, 1)
        if kind == "unet" and rng.random() < 0.2:
            # Out of focus: three box filters are nearly a Gaussian.
            side = rng.choice((3, 5))
            for _ in range(3):
                image = F.avg_pool2d(image[None], side, 1, side // 2, count_include_pad=False)[0]
        images.append(image)
        truths.append(labels)
    return torch.stack(images), torch.stack(truths)


def loss_of(kind, logits, truth, weights):
    if kind == "unet":
        wanted = (truth > 0).float()[:, None]
        p = logits.sigmoid()
        overlap = 2 * (p * wanted).sum((1, 2, 3)) + 1
        dice = 1 - overlap / (p.sum((1, 2, 3)) + wanted.sum((1, 2, 3)) + 1)
        return F.binary_cross_entropy_with_logits(logits, wanted) + dice.mean()
    logits = F.interpolate(logits, truth.shape[1:], mode="bilinear", align_corners=False)
    return F.cross_entropy(logits, truth, weights)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("unet", "segnet", "deeplabv3"))
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float)
    length.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--init", help="a checkpoint of the same kind to go on from")
    parser.add_argument("--backbone", help="DeepLabV3 only: a checkpoint of train.py whose first stages to begin from")
    parser.add_argument("--average", type=float, help="keep the moving average of the weights, e.g. 0.998")
    parser.add_argument("--strong", action="store_true", help="U-Net only: the windows of nuclei.py, drawn micrographs among them")
    parser.add_argument("--fold", type=int, choices=(0, 1, 2), help="U-Net only: cross-validation, train without this fold")
    parser.add_argument("--limit", type=int, default=600)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    os.makedirs(options.out, exist_ok=True)
    unet = options.kind == "unet"
    source = nuclei.split(options.data, False, options.fold) if unet else pictures.Coco(options.data, os.path.join(options.data, "images"), shrink=SCENE_SHRINK)
    items = load(source, options.limit)
    micrographs = nuclei.Batches(nuclei.load(source), options.seed) if unet and options.strong else None
    names = source.names if unet else ["background"] + source.names
    shares = np.bincount(np.concatenate([truth.numpy().reshape(-1)[::7] for _, truth in items]), minlength=len(names)).astype(float)
    weights = torch.tensor((shares.sum() / (len(names) * np.maximum(shares, 1))) ** 0.5, dtype=torch.float32)
    torch.manual_seed(options.seed)
    model = networks.build(options.kind, len(names)).train()
    if options.init:
        model.load_state_dict(torch.load(options.init, map_location="cpu")["weights"])
    if options.backbone:
        model.begin_from(torch.load(options.backbone, map_location="cpu")["average"])
    count = sum(p.numel() for p in model.parameters())
    print(f"{len(items)} pictures, {count} parameters, classes {names}", flush=True)
    # Only layers without running statistics are averaged so simply.
    kept = copy.deepcopy(model) if options.average else model
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.02)
    began, saved, step = time.time(), time.time(), 0
    while True:
        done = step / options.steps if options.steps else (time.time() - began) / (options.minutes * 60)
        if done >= 1:
            break
        rate = options.rate * min(1, (step + 1) / 20) * (0.5 + 0.5 * math.cos(math.pi * done))
        for group in optimiser.param_groups:
            group["lr"] = max(rate, options.rate * 0.002)
        seed = options.seed * 1_000_000 + step
        images, truth = micrographs.batch(options.batch, seed) if micrographs else batch(items, options.batch, options.kind, seed)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(images)
        loss = loss_of(options.kind, logits.float(), truth, weights)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        step += 1
        if options.average:
            decay = min(options.average, step / (step + 10))
            with torch.no_grad():
                for mean, now in zip(kept.parameters(), model.parameters()):
                    mean.lerp_(now, 1 - decay)
        if step % 10 == 0:
            print(f"{step} {time.time() - began:.0f}s loss {loss.item():.4f}", flush=True)
        if time.time() - saved > 60:
            save(kept, options, names, step)
            saved = time.time()
    save(kept, options, names, step)
    print(f"{step} steps in {(time.time() - began) / 60:.1f} minutes", flush=True)


def save(model, options, names, step):
    path = os.path.join(options.out, "checkpoint.pt")
    torch.save({"kind": options.kind, "names": names, "step": step, "seed": options.seed, "weights": model.state_dict()}, path + ".part")
    os.replace(path + ".part", path)


if __name__ == "__main__":
    main()
