"""Writes two tiny networks whose instances come with a map over the whole input, and PyTorch's own answers.

They have no weights to speak of: a class is a colour, and its map says how alike each pixel is. What they test
is that our way from an image file to instances is the references' way, for each signature:
  tiny-rtmdet  RTMDet-Ins as MMDeploy exports it: letterbox at the start, BGR; dets [1,n,5], labels [1,n] int64,
               masks [1,n,H,W] probabilities; as many as there are
  tiny-rfdetr  RF-DETR-Seg as its exporter writes it: stretched, RGB; dets [1,q,4] centre and size in parts of the
               input, labels [1,q,k] logits of numbers that do not all have names, masks [1,q,H/4,W/4] logits

Usage: /usr/bin/python3 make_tiny_maps.py   (torch 1.13, onnx 1.12, numpy, Pillow)
"""
import hashlib, json, os, sys
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.dirname(HERE))
from coco_rle import rle  # noqa: E402

NAMES = ["red", "green", "blue"]
COLOURS = torch.tensor([[0.86, 0.16, 0.16], [0.12, 0.63, 0.2], [0.16, 0.24, 0.86]])
STEEP, TOLERANCE = 24.0, 0.25
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
torch.set_num_threads(1)


def likeness(rgb):
    """[1,3,H,W] 0..1 -> logits [1,classes,H,W], positive where a pixel is coloured like the class."""
    away = ((rgb.unsqueeze(1) - COLOURS.reshape(1, 3, 3, 1, 1)) ** 2).sum(2)
    return STEEP * (TOLERANCE**2 - away)


def extent(on):
    """[classes,H,W] 0 or 1 -> corners [classes,4] in cells, and how many cells there are."""
    height, width = on.shape[1], on.shape[2]
    columns = torch.arange(width, dtype=torch.float32)
    rows = torch.arange(height, dtype=torch.float32)
    across, down = on.max(1)[0], on.max(2)[0]
    x0 = torch.where(across > 0, columns, torch.tensor(float(width))).min(1)[0]
    x1 = torch.where(across > 0, columns + 1, torch.tensor(0.0)).max(1)[0]
    y0 = torch.where(down > 0, rows, torch.tensor(float(height))).min(1)[0]
    y1 = torch.where(down > 0, rows + 1, torch.tensor(0.0)).max(1)[0]
    return torch.stack([x0, y0, x1, y1], 1), on.sum((1, 2))


class Rtmdet(nn.Module):
    """[1,3,96,96] BGR, MMDetection's mean and deviation -> dets, labels, masks"""

    side = 96

    def forward(self, image):
        mean, std = torch.tensor([103.53, 116.28, 123.675]), torch.tensor([57.375, 57.12, 58.395])
        bgr = (image * std.reshape(1, 3, 1, 1) + mean.reshape(1, 3, 1, 1)) / 255
        logits = likeness(bgr.flip(1))[0]
        boxes, area = extent((logits > 0).float())
        scores = area / (area + 40)
        kept = (scores > 0.05).nonzero().squeeze(1)
        dets = torch.cat([boxes[kept], scores[kept].unsqueeze(1)], 1)
        return dets.unsqueeze(0), kept.unsqueeze(0), logits[kept].sigmoid().unsqueeze(0)


class RfDetr(nn.Module):
    """[1,3,96,96] RGB, ImageNet's mean and deviation -> dets, labels, masks. One query a colour, and an idle one."""

    side = 96
    numbers, count = [1, 3, 6], 8

    def forward(self, image):
        rgb = image * torch.tensor(STD).reshape(1, 3, 1, 1) + torch.tensor(MEAN).reshape(1, 3, 1, 1)
        logits = F.avg_pool2d(likeness(rgb), 4)[0]
        boxes, area = extent((logits > 0).float())
        boxes = boxes / (self.side / 4)
        dets = torch.stack([(boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2, boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]], 1)
        sure = (area / 12 - 2).clamp(-6, 4)
        rows = F.one_hot(torch.tensor(self.numbers), self.count).float()
        # Number 5 has no name: what it says must not be answered, however sure it is.
        labels = rows * (sure.unsqueeze(1) + 7) - 7 + F.one_hot(torch.tensor(5), self.count).float() * 12
        idle = torch.full((1, self.count), -7.0)
        dets = torch.cat([dets, torch.tensor([[0.5, 0.5, 0.1, 0.1]])])
        masks = torch.cat([logits, torch.full((1, *logits.shape[1:]), -9.0)])
        return dets.unsqueeze(0), torch.cat([labels, idle]).unsqueeze(0), masks.unsqueeze(0)


def photo(width, height):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    pixels = np.stack([128 + 20 * np.sin(x / 19), 128 + 20 * np.cos(y / 13), 120 + 10 * np.sin((x + y) / 11)], -1)
    colours = (COLOURS.numpy() * 255).round()
    pixels[(x - 0.3 * width) ** 2 + (y - 0.35 * height) ** 2 < (0.18 * min(width, height)) ** 2] = colours[0]
    pixels[(abs(x - 0.7 * width) < 0.17 * width) & (abs(y - 0.72 * height) < 0.14 * height)] = colours[2]
    ring = (x - 0.28 * width) ** 2 + (y - 0.75 * height) ** 2
    reach = 0.2 * min(width, height)
    pixels[(ring < reach**2) & (ring > (0.45 * reach) ** 2)] = colours[1]
    return np.clip(pixels, 0, 255).astype(np.uint8)


def enlarged(masks, width, height, level):
    """As MMDetection and RF-DETR do: bilinear to the image's size, then the threshold."""
    return (F.interpolate(masks.unsqueeze(0), size=(height, width), mode="bilinear", align_corners=False)[0] > level).numpy()


def prepare_rtmdet(pixels, side):
    """MMDetection's Resize (keep_ratio, OpenCV's bilinear) and Pad with 114."""
    height, width = pixels.shape[:2]
    scale = min(side / width, side / height)
    wide, high = int(width * scale + 0.5), int(height * scale + 0.5)
    source = torch.from_numpy(pixels[:, :, ::-1].copy()).permute(2, 0, 1).float().unsqueeze(0)
    small = F.interpolate(source, size=(high, wide), mode="bilinear", align_corners=False)[0].round()
    padded = torch.full((3, side, side), 114.0)
    padded[:, :high, :wide] = small
    mean, std = torch.tensor([103.53, 116.28, 123.675]), torch.tensor([57.375, 57.12, 58.395])
    return ((padded - mean.reshape(3, 1, 1)) / std.reshape(3, 1, 1)).unsqueeze(0), wide, high


def answer_rtmdet(module, pixels):
    height, width = pixels.shape[:2]
    image, wide, high = prepare_rtmdet(pixels, module.side)
    dets, labels, masks = module(image)
    found = enlarged(masks[0, :, :high, :wide], width, height, 0.5)
    boxes = dets[0, :, :4] / torch.tensor([wide / width, high / height] * 2)
    return instances(pixels, [NAMES[int(n)] for n in labels[0]], dets[0, :, 4], boxes, found)


def prepare_rfdetr(pixels, side):
    small = np.asarray(Image.fromarray(pixels).resize((side, side), Image.BILINEAR), np.float32) / 255
    return torch.from_numpy(((small - MEAN) / STD).astype(np.float32)).permute(2, 0, 1).unsqueeze(0)


def answer_rfdetr(module, pixels):
    height, width = pixels.shape[:2]
    dets, labels, masks = module(prepare_rfdetr(pixels, module.side))
    named = labels[0][:, module.numbers].sigmoid()
    scores, best = named.max(1)
    x, y, w, h = dets[0].unbind(1)
    boxes = torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 1) * torch.tensor([width, height] * 2)
    return instances(pixels, [NAMES[int(n)] for n in best], scores, boxes, enlarged(masks[0], width, height, 0))


def instances(pixels, labels, scores, boxes, masks):
    out = []
    for label, score, (x0, y0, x1, y1), mask in zip(labels, scores.tolist(), boxes.tolist(), masks):
        if score >= 0.05 and mask.any():
            out.append({"label": label, "score": score, "box": [x0, y0, x1 - x0, y1 - y0], "rle": rle(mask)})
    return {"width": pixels.shape[1], "height": pixels.shape[0], "instances": out}


def write(name, variant, module, example, answer, graph_input, dynamic, more):
    folder = os.path.join(HERE, name)
    os.makedirs(os.path.join(folder, "golden"), exist_ok=True)
    path = os.path.join(folder, "model.onnx")
    names = ["dets", "labels", "masks"]
    torch.onnx.export(module, (example,), path, opset_version=13, input_names=["input"], output_names=names, dynamic_axes=dynamic)
    data = open(path, "rb").read()
    goldens = []
    for golden, pixels in (("wide", photo(200, 150)), ("tall", photo(90, 130))):
        expected = answer(module, pixels)
        Image.fromarray(pixels).save(os.path.join(folder, "golden", f"{golden}.png"))
        with open(os.path.join(folder, "golden", f"{golden}.json"), "w") as file:
            json.dump(expected, file)
        goldens.append({"image": f"golden/{golden}.png", "expected": f"golden/{golden}.json", "minIou": 0.98, "maxScoreDifference": 0.01})
        print(name, golden, len(data), "bytes", [(i["label"], round(i["score"], 3)) for i in expected["instances"]])
    manifest = {
        "format": 1, "id": name, "name": f"Tiny {variant}, what is coloured alike", "version": "1",
        "family": "instance-maps", "variant": variant,
        "file": {"path": "model.onnx", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()},
        "input": {"name": "input", **graph_input},
        "outputs": {"boxes": "dets", "labels": "labels", "masks": "masks"},
        "labels": NAMES, **more,
        "thresholds": {"score": 0.3, "keep": 0.05, "mask": 0.5},
        "license": "Apache-2.0", "source": "test/tiny-maps/make_tiny_maps.py",
        "goldens": goldens,
    }
    with open(os.path.join(folder, "manifest.json"), "w") as file:
        file.write(json.dumps(manifest, indent=2) + "\n")


def main():
    with torch.no_grad():
        module = Rtmdet().eval()
        fit = {"mode": "letterbox", "width": module.side, "height": module.side, "align": "start", "pad": [114, 114, 114]}
        write(
            "tiny-rtmdet", "mmdeploy", module, prepare_rtmdet(photo(200, 150), module.side)[0], answer_rtmdet,
            {"color": "bgr", "range": 255, "mean": [103.53, 116.28, 123.675], "std": [57.375, 57.12, 58.395], "fit": fit},
            {key: {1: "num_dets"} for key in ("dets", "labels", "masks")}, {},
        )
        module = RfDetr().eval()
        write(
            "tiny-rfdetr", "rf-detr", module, prepare_rfdetr(photo(200, 150), module.side), answer_rfdetr,
            {"color": "rgb", "range": 1, "mean": MEAN, "std": STD, "fit": {"mode": "stretch", "width": module.side, "height": module.side}},
            {}, {"labelIds": module.numbers},
        )


main()
