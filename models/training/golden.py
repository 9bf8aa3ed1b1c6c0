"""Writes what PyTorch itself answers for an image: the independent reference of a model's golden.

    python3 golden.py CHECKPOINT IMAGE --size 320 --out expected.json [--zoo]

With --zoo the picture is prepared and the 28x28 masks are pasted as Detectron2 does (short side, Pillow's bilinear,
means, padding to 32; grid_sample with half-pixel centres). Weights are rounded to float16 there, as in the file.
"""
import argparse
import json

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

import data as pictures
import export


def compress(counts):
    """Run lengths -> COCO's compressed string (pycocotools rleToString)."""
    text = []
    for k, count in enumerate(counts):
        value = count - counts[k - 2] if k > 2 else count
        while True:
            c = value & 0x1F
            value >>= 5
            more = value != -1 if c & 0x10 else value != 0
            text.append(chr(c + 48 + (0x20 if more else 0)))
            if not more:
                break
    return "".join(text)


def paste(mask, box, height, width):
    """Detectron2's paste_masks_in_image for one mask [28,28] and a box xyxy -> probabilities [height, width]."""
    x0, y0, x1, y1 = (float(v) for v in box)
    ys = (torch.arange(height, dtype=torch.float32) + 0.5 - y0) / (y1 - y0) * 2 - 1
    xs = (torch.arange(width, dtype=torch.float32) + 0.5 - x0) / (x1 - x0) * 2 - 1
    grid = torch.stack((xs[None].expand(height, width), ys[:, None].expand(height, width)), 2)
    return F.grid_sample(mask[None, None], grid[None], align_corners=False)[0, 0]


def answer(model, picture, zoo, size):
    """-> boxes xyxy in image pixels, labels, scores, bool masks at full size"""
    width, height = picture.size
    if not zoo:
        image = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
        found = model([image])[0]
        return found["boxes"], found["labels"], found["scores"], found["masks"][:, 0] >= 0.5
    scale = min(size / min(width, height), 4 * size / max(width, height))
    small = picture.resize((max(1, int(scale * width)), max(1, int(scale * height))), Image.BILINEAR)
    bgr = torch.from_numpy(np.array(small)).permute(2, 0, 1).float()[[2, 1, 0]] - torch.tensor(export.ZOO_MEANS).view(3, 1, 1)
    bgr = F.pad(bgr, (0, -bgr.shape[2] % 32, 0, -bgr.shape[1] % 32))
    boxes, labels, scores, masks = export.Zoo(model)(bgr)
    boxes = boxes / scale
    pasted = [paste(mask[0], box, height, width) >= 0.5 for mask, box in zip(masks, boxes)]
    return boxes, labels, scores, torch.stack(pasted) if pasted else torch.zeros((0, height, width), dtype=torch.bool)


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint")
    parser.add_argument("image")
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--zoo", action="store_true")
    options = parser.parse_args()
    model, names, _ = export.load(options.checkpoint, options.size)
    if options.zoo:
        for tensor in model.state_dict().values():
            if tensor.dtype == torch.float32 and tensor.numel() >= 1024:
                tensor.copy_(tensor.half().float())
    picture = Image.open(options.image).convert("RGB")
    instances = []
    for box, label, score, mask in zip(*answer(model, picture, options.zoo, options.size)):
        x0, y0, x1, y1 = (round(float(v), 3) for v in box)
        if not mask.any():
            continue
        counts = compress(pictures.encode(mask.numpy()))
        instances.append({
            "label": names[int(label) - 1],
            "score": round(float(score), 6),
            "box": [x0, y0, round(x1 - x0, 3), round(y1 - y0, 3)],
            "rle": {"size": [picture.height, picture.width], "counts": counts},
        })
    with open(options.out, "w") as file:
        json.dump({"width": picture.width, "height": picture.height, "instances": instances}, file, indent=1)
        file.write("\n")
    print(len(instances), "instances,", sum(i["score"] >= 0.5 for i in instances), "of them from 0.5 on")


if __name__ == "__main__":
    main()
