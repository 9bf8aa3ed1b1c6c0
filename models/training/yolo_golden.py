"""Writes the golden of a YOLO segmentation model (v8, 9, 11) from its ONNX file, without ONNX Runtime.

    python3 yolo_golden.py MODEL_FOLDER WEIGHTS IMAGE --out expected.json

The graph is walked with PyTorch's own operators (salient.py). Around it: the letterbox by torch.nn.functional, the
suppression by torchvision.ops.batched_nms, masks by the whole product of coefficients and prototypes, interpolated to
full size by grid_sample at the places where the pixels of the image lie in the input (Ultralytics rounds those places to
whole cells). Nothing here is shared with the studio's code.
"""
import argparse
import json
import os

import numpy as np
import torch
import torchvision
from PIL import Image
from torch.nn import functional as F

import salient
from golden import compress


def split(at, x, sizes=None):
    return x.split((sizes.tolist() if sizes is not None else at["split"]), at.get("axis", 0))


def transposed(at, x, weight, bias=None):
    return F.conv_transpose2d(x, weight, bias, at["strides"], at.get("pads", [0] * 4)[:2])


salient.OPERATORS.update({
    "ConvTranspose": transposed,
    "Div": lambda at, a, b: a / b,
    "Softmax": lambda at, x: x.softmax(at.get("axis", -1)),
    "Split": split,
    "Sub": lambda at, a, b: a - b,
    "Transpose": lambda at, x: x.permute(at["perm"]),
})


def resize(at, x, roi=None, scales=None, sizes=None):
    if at["mode"] == b"linear":
        return salient.resize(at, x, roi, scales, sizes)
    assert at["coordinate_transformation_mode"] == b"asymmetric" and at["nearest_mode"] == b"floor", at
    return F.interpolate(x, scale_factor=[float(s) for s in scales[2:]], mode="nearest")


salient.OPERATORS["Resize"] = resize


def letterbox(picture, width, height, pad):
    """-> bytes [3,height,width], scale, left, top, size of the picture in it"""
    scale = min(width / picture.width, height / picture.height)
    w, h = round(picture.width * scale), round(picture.height * scale)
    x = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None].float()
    x = F.interpolate(x, (h, w), mode="bilinear", align_corners=False).round()
    left, top = round((width - w) / 2 - 0.1), round((height - h) / 2 - 0.1)
    out = torch.tensor(pad, dtype=torch.float32).view(1, 3, 1, 1).expand(1, 3, height, width).clone()
    out[:, :, top:top + h, left:left + w] = x
    return out, left, top, w, h


def main():
    options = argparse.ArgumentParser()
    options.add_argument("folder")
    options.add_argument("weights")
    options.add_argument("image")
    options.add_argument("--out", required=True)
    options = options.parse_args()
    with open(os.path.join(options.folder, "manifest.json"), encoding="utf-8") as file:
        manifest = json.load(file)
    fit, keep, labels = manifest["input"]["fit"], manifest["thresholds"]["keep"], manifest["labels"]
    picture = Image.open(options.image).convert("RGB")
    width, height = picture.size
    x, left, top, w, h = letterbox(picture, fit["width"], fit["height"], fit["pad"])
    with torch.no_grad():
        feeds = {manifest["input"]["name"]: x / 255}
        outputs = salient.walk(options.weights, feeds, [manifest["outputs"]["predictions"], manifest["outputs"]["prototypes"]])
    rows, prototypes = outputs[0][0].T, outputs[1][0]
    scores, classes = rows[:, 4:4 + len(labels)].max(1)
    good = scores >= keep
    rows, scores, classes = rows[good], scores[good], classes[good]
    boxes = torch.cat((rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2), 1)
    best = torchvision.ops.batched_nms(boxes, scores, classes, manifest["nms"]["iou"])[:manifest["nms"]["maxInstances"]]
    # Where the centre of each image pixel lies in the input, as grid_sample counts.
    ys = ((torch.arange(height) + 0.5) * h / height + top) / fit["height"] * 2 - 1
    xs = ((torch.arange(width) + 0.5) * w / width + left) / fit["width"] * 2 - 1
    grid = torch.stack((xs[None].expand(height, width), ys[:, None].expand(height, width)), 2)[None]
    instances = []
    for k in best.tolist():
        field = (rows[k, 4 + len(labels):] @ prototypes.flatten(1)).view(1, 1, *prototypes.shape[1:])
        field = F.grid_sample(field, grid, mode="bilinear", padding_mode="border", align_corners=False)[0, 0]
        x0, x1 = (((v - left) * width / w).clamp(0, width).item() for v in boxes[k, [0, 2]])
        y0, y1 = (((v - top) * height / h).clamp(0, height).item() for v in boxes[k, [1, 3]])
        mask = (field > 0).numpy()
        mask &= ((np.arange(height) + 0.5 >= y0) & (np.arange(height) + 0.5 < y1))[:, None]
        mask &= ((np.arange(width) + 0.5 >= x0) & (np.arange(width) + 0.5 < x1))[None]
        if not mask.any():
            continue
        flat = np.concatenate(([0], mask.T.reshape(-1).astype(np.int8)))
        counts = np.diff([0, *np.flatnonzero(np.diff(flat)).tolist(), mask.size]).tolist()
        instances.append({
            "label": labels[int(classes[k])],
            "score": round(float(scores[k]), 6),
            "box": [round(v, 3) for v in (x0, y0, x1 - x0, y1 - y0)],
            "rle": {"size": [height, width], "counts": compress(counts)},
        })
    with open(options.out, "w", encoding="utf-8") as file:
        json.dump({"width": width, "height": height, "instances": instances}, file, indent=1)
        file.write("\n")
    print(options.out, [(i["label"], i["score"]) for i in instances if i["score"] >= manifest["thresholds"]["score"]])


if __name__ == "__main__":
    main()
