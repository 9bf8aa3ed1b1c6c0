"""Writes what PyTorch itself answers for an image, and scores a checkpoint on held-out pictures.

    python3 semantic_golden.py CHECKPOINT IMAGE --fit FIT --out expected.json --least 16
    python3 semantic_golden.py CHECKPOINT --fit FIT --held FOLDER

FIT: `native:16` (own size, padded to a multiple), `short:360:1440:32`, `box:480:360` (letterbox, centred); padding is black.
The map is read at the centres of the image's pixels by grid_sample, softmax before it as the studio does; pieces are
8-connected, the score is the mean probability of the class. Held: FOLDER is the nuclei or a folder of scenes; prints the
intersection over union of each class over all pixels, and for the nuclei foreground also the mean over pictures.
"""
import argparse
import json
import os

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

import data as pictures
import golden
import nuclei
import semantic_export as export
import semantic_train as training


def place(width, height, fit):
    """-> picture size, its corner in the input, input size"""
    kind, *numbers = fit.split(":")
    n = [int(v) for v in numbers]
    if kind == "box":
        scale = min(n[0] / width, n[1] / height)
        w, h = int(scale * width + 1e-6), int(scale * height + 1e-6)
        return (w, h), ((n[0] - w) // 2, (n[1] - h) // 2), (n[0], n[1])
    scale = 1.0 if kind == "native" else min(n[0] / min(width, height), n[1] / max(width, height))
    w, h = int(scale * width + 1e-6), int(scale * height + 1e-6)
    multiple = n[-1]
    return (w, h), (0, 0), (-(-w // multiple) * multiple, -(-h // multiple) * multiple)


@torch.no_grad()
def answer(model, picture, fit):
    """-> probabilities [classes,h,w] at the image's size, and the class map [h,w] (0 is background)"""
    width, height = picture.size
    (w, h), (x0, y0), (padded_w, padded_h) = place(width, height, fit)
    small = torch.from_numpy(np.array(picture.resize((w, h), Image.BILINEAR) if (w, h) != picture.size else picture))
    image = torch.zeros(1, 3, padded_h, padded_w)
    image[0, :, y0 : y0 + h, x0 : x0 + w] = small.permute(2, 0, 1).float() / 255
    logits = model(image)
    xs = ((torch.arange(width, dtype=torch.float64) + 0.5) * w / width + x0) / padded_w * 2 - 1
    ys = ((torch.arange(height, dtype=torch.float64) + 0.5) * h / height + y0) / padded_h * 2 - 1
    grid = torch.stack((xs[None].expand(height, width), ys[:, None].expand(height, width)), 2)[None]

    def read(values):
        return F.grid_sample(values.double(), grid, padding_mode="border", align_corners=False)[0]

    if logits.shape[1] == 1:
        chance = read(logits.sigmoid())
        return torch.cat((1 - chance, chance)), (chance[0] >= 0.5).long()
    return read(logits.softmax(1)), read(logits).argmax(0)


def pieces(mask):
    """8-connected pieces of a bool mask by spreading the least index, until nothing changes."""
    index = torch.arange(1, mask.numel() + 1, dtype=torch.float64).view(1, 1, *mask.shape)
    big = float(mask.numel() + 2)
    ids = torch.where(mask, index[0, 0], torch.tensor(big, dtype=torch.float64))
    while True:
        spread = -F.max_pool2d(-ids[None, None], 3, 1, 1)[0, 0]
        spread = torch.where(mask, spread, torch.tensor(big, dtype=torch.float64))
        if torch.equal(spread, ids):
            return [ids == value for value in torch.unique(ids).tolist() if value != big]
        ids = spread


def write(model, names, options):
    picture = Image.open(options.image).convert("RGB")
    width, height = picture.size
    (w, h), _, _ = place(width, height, options.fit)
    least = options.least * width * height / (w * h)
    chances, classes = answer(model, picture, options.fit)
    instances = []
    for number in range(1, len(chances)):
        for mask in pieces(classes == number):
            if int(mask.sum()) < max(1, least):
                continue
            ys, xs = torch.where(mask.any(1))[0], torch.where(mask.any(0))[0]
            box = [int(xs[0]), int(ys[0]), int(xs[-1] - xs[0] + 1), int(ys[-1] - ys[0] + 1)]
            counts = golden.compress(pictures.encode(mask.numpy()))
            name = names[number] if len(names) > 1 else names[0]
            score = round(float(chances[number][mask].mean()), 6)
            instances.append({"label": name, "score": score, "box": box, "rle": {"size": [height, width], "counts": counts}})
    with open(options.out, "w") as file:
        json.dump({"width": width, "height": height, "instances": instances}, file, separators=(",", ":"))
        file.write("\n")
    print(f"{len(instances)} instances in {options.out}")


def score(model, names, options):
    cells = len(names) == 1
    held = nuclei.split(options.held, True, options.fold) if cells else pictures.Coco(options.held, os.path.join(options.held, "images"))
    count = 2 if cells else len(names)
    confusion, single = np.zeros((count, count), dtype=np.int64), []
    for k in range(min(options.limit, len(held))):
        rgb, labels, masks = held.item(k)
        truth = training.label_map(labels, masks, rgb.shape[:2])
        found = answer(model, Image.fromarray(rgb), options.fit)[1].numpy()
        one = np.bincount(truth.reshape(-1).astype(np.int64) * count + found.reshape(-1), minlength=count * count).reshape(count, count)
        confusion += one
        if cells:
            single.append(one[1, 1] / (one.sum() - one[0, 0]))
            print(f"{held.files[k]['file_name']} {single[-1]:.4f}")
    iou = np.diag(confusion) / (confusion.sum(0) + confusion.sum(1) - np.diag(confusion))
    for name, value in zip(names if not cells else ["background"] + names, iou):
        print(f"{name} {value:.4f}")
    if cells:
        print(f"mean of the pictures {np.mean(single):.4f}")
    print(f"pictures {min(options.limit, len(held))}, mean IoU {iou.mean():.4f}, without background {iou[1:].mean():.4f}, pixel accuracy {np.diag(confusion).sum() / confusion.sum():.4f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint", help="or several: A:1,B:2")
    parser.add_argument("image", nargs="?")
    parser.add_argument("--fit", required=True)
    parser.add_argument("--out")
    parser.add_argument("--least", type=float, default=16)
    parser.add_argument("--held")
    parser.add_argument("--fold", type=int, choices=(0, 1, 2), help="nuclei: score this fold of the training pictures instead")
    parser.add_argument("--limit", type=int, default=100, help="held-out pictures")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model, names, _ = export.load(options.checkpoint)
    if options.held is not None:
        score(model, names, options)
    if options.image is not None:
        write(model, names, options)


if __name__ == "__main__":
    main()
