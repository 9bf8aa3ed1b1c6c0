"""Writes the golden of a salient-object model from its ONNX file, without ONNX Runtime.

    python3 salient.py MODEL_FOLDER WEIGHTS IMAGE --out expected.json

The graph is walked node by node with PyTorch's own operators, picture and map are resized by Pillow and
torch.nn.functional, regions are cut by a flood fill: nothing here is shared with the studio's code.
"""
import argparse
import json
import os

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from PIL import Image
from torch.nn import functional as F

from golden import compress


def pool(x, at):
    pads, stride = at.get("pads", [0] * 4), at.get("strides", [1, 1])
    return F.max_pool2d(x, at["kernel_shape"], stride, pads[:2], ceil_mode=bool(at.get("ceil_mode", 0)))


def conv(at, x, weight, bias=None):
    pads = at.get("pads", [0] * 4)
    assert pads[:2] == pads[2:], pads
    return F.conv2d(x, weight, bias, at.get("strides", [1, 1]), pads[:2], at.get("dilations", [1, 1]), at.get("group", 1))


def resize(at, x, roi=None, scales=None, sizes=None):
    size = sizes[2:].tolist() if sizes is not None else [int(n * s) for n, s in zip(x.shape[2:], scales[2:].tolist())]
    assert at["mode"] == b"linear", at
    how = at.get("coordinate_transformation_mode", b"half_pixel")
    assert how in (b"half_pixel", b"pytorch_half_pixel", b"align_corners"), how
    return F.interpolate(x, size, mode="bilinear", align_corners=how == b"align_corners")


def cut(at, x, starts, ends, axes=None, steps=None):
    index = [slice(None)] * x.dim()
    for k, axis in enumerate(axes.tolist() if axes is not None else range(len(starts))):
        index[axis] = slice(int(starts[k]), min(int(ends[k]), x.shape[axis]), int(steps[k]) if steps is not None else 1)
    return x[tuple(index)]


def gather(at, x, index):
    return x.select(at.get("axis", 0), int(index)) if index.dim() == 0 else x.index_select(at.get("axis", 0), index)


def unsqueeze(at, x):
    for axis in sorted(at["axes"]):
        x = x.unsqueeze(axis)
    return x


def clip(at, x, low=None, high=None):
    return x.clamp(None if low is None else float(low), None if high is None else float(high))


OPERATORS = {
    "Add": lambda at, a, b: a + b,
    "BatchNormalization": lambda at, x, w, b, mean, var: F.batch_norm(x, mean, var, w, b, eps=at.get("epsilon", 1e-5)),
    "Cast": lambda at, x: x.to({1: torch.float32, 7: torch.int64}[at["to"]]),
    "Clip": clip,
    "Concat": lambda at, *x: torch.cat(x, at["axis"]),
    "Constant": lambda at: torch.from_numpy(numpy_helper.to_array(at["value"]).copy()),
    "Conv": conv,
    "Expand": lambda at, x, shape: x * torch.ones(shape.tolist(), dtype=x.dtype),
    "Gather": gather,
    "GlobalAveragePool": lambda at, x: x.mean((2, 3), keepdim=True),
    "InstanceNormalization": lambda at, x, w, b: F.instance_norm(x, weight=w, bias=b, eps=at.get("epsilon", 1e-5)),
    "MatMul": lambda at, a, b: a @ b,
    "MaxPool": lambda at, x: pool(x, at),
    "Mul": lambda at, a, b: a * b,
    "Relu": lambda at, x: x.relu(),
    "Reshape": lambda at, x, shape: x.reshape([x.shape[k] if n == 0 else n for k, n in enumerate(shape.tolist())]),
    "Resize": resize,
    "Shape": lambda at, x: torch.tensor(x.shape),
    "Sigmoid": lambda at, x: x.sigmoid(),
    "Slice": cut,
    "Unsqueeze": unsqueeze,
}


def walk(path, feeds, wanted):
    """-> the tensors named in `wanted`"""
    graph = onnx.load(path).graph
    values = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    values.update(feeds)
    for node in graph.node:
        at = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        given = [None if name == "" or (node.op_type == "Resize" and values[name].numel() == 0) else values[name] for name in node.input]
        made = OPERATORS[node.op_type](at, *given)
        values.update(zip(node.output, made if isinstance(made, tuple) else (made,)))
    return [values[name] for name in wanted]


def pieces(mask):
    """8-connected pieces of a bool array, from top to bottom."""
    left = mask.copy()
    for y, x in zip(*np.nonzero(mask)):
        if not left[y, x]:
            continue
        piece, todo = np.zeros_like(mask), [(y, x)]
        left[y, x] = False
        while todo:
            j, i = todo.pop()
            piece[j, i] = True
            for b in range(max(0, j - 1), min(mask.shape[0], j + 2)):
                for a in range(max(0, i - 1), min(mask.shape[1], i + 2)):
                    if left[b, a]:
                        left[b, a] = False
                        todo.append((b, a))
        yield piece


def main():
    options = argparse.ArgumentParser()
    options.add_argument("folder")
    options.add_argument("weights")
    options.add_argument("image")
    options.add_argument("--out", required=True)
    options = options.parse_args()
    with open(os.path.join(options.folder, "manifest.json"), encoding="utf-8") as file:
        manifest = json.load(file)
    way = manifest["input"]
    picture = Image.open(options.image).convert("RGB")
    small = picture.resize((way["fit"]["width"], way["fit"]["height"]), Image.BILINEAR)
    x = (np.asarray(small, dtype=np.float32) / 255 - np.float32(way["mean"])) / np.float32(way["std"])
    with torch.no_grad():
        found = walk(options.weights, {way["name"]: torch.from_numpy(x.transpose(2, 0, 1).copy())[None]}, [manifest["outputs"]["alpha"]])[0]
        field = F.interpolate(found, (picture.height, picture.width), mode="bilinear", align_corners=False)[0, 0].numpy()
    least = manifest["regions"]["minArea"] * picture.width * picture.height / (small.width * small.height)
    instances = []
    for piece in pieces(field >= manifest["thresholds"]["mask"]):
        score = float(field[piece].mean())
        if piece.sum() < max(1, least) or score < manifest["thresholds"]["keep"]:
            continue
        ys, xs = np.nonzero(piece)
        flat = np.concatenate(([0], piece.T.reshape(-1).astype(np.int8)))
        edges = np.flatnonzero(np.diff(flat)).tolist()
        counts = np.diff([0, *edges, piece.size]).tolist()
        box = [int(xs.min()), int(ys.min()), int(xs.max() - xs.min() + 1), int(ys.max() - ys.min() + 1)]
        rle = {"size": [picture.height, picture.width], "counts": compress(counts)}
        instances.append({"label": manifest["labels"][0], "score": round(score, 6), "box": box, "rle": rle})
    with open(options.out, "w", encoding="utf-8") as file:
        json.dump({"width": picture.width, "height": picture.height, "instances": instances}, file, indent=1)
        file.write("\n")
    print(options.out, [(i["box"], i["score"]) for i in instances])


if __name__ == "__main__":
    main()
