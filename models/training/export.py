"""Writes a checkpoint's averaged weights as ONNX, opset 11.

    python3 export.py CHECKPOINT --size 320 --out model.onnx            torchvision signature
    python3 export.py CHECKPOINT --size 320 --out model.onnx --zoo      ONNX model zoo signature, weights as float16

torchvision: image [3,H,W] RGB 0..1 of any size -> boxes [n,4], labels [n], scores [n], masks [n,1,H,W].
zoo: image [3,H,W] BGR minus the zoo's means, already resized and padded to a multiple of 32 -> boxes, labels, scores,
masks [n,1,28,28], in that order, boxes in resized pixels.
"""
import argparse

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn
from torchvision.models.detection.image_list import ImageList

import model as networks
from bundled import Plain

ZOO_MEANS = (102.9801, 115.9465, 122.7717)
# The torchvision signature pastes one full-size float mask per instance: keep their number in check.
DETECTIONS = 50


def load(checkpoint, size):
    """-> (model in eval mode with the averaged weights, class names, the whole checkpoint)"""
    state = torch.load(checkpoint, map_location="cpu")
    model = networks.build(len(state["names"]), size, 4 * size, DETECTIONS)
    model.load_state_dict(state["average"])
    return model.eval(), state["names"], state


class Zoo(nn.Module):
    """The same network behind the signature of the model zoo's MaskRCNN-12."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.register_buffer("means", torch.tensor(ZOO_MEANS).view(3, 1, 1))
        self.register_buffer("mean", torch.tensor(networks.MEAN).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(networks.STD).view(3, 1, 1))

    def forward(self, image):
        rgb = ((image + self.means)[[2, 1, 0]] / 255 - self.mean) / self.std
        batch = ImageList(rgb[None], [image.shape[-2:]])
        features = self.model.backbone(batch.tensors)
        proposals, _ = self.model.rpn(batch, features)
        found = self.model.roi_heads(features, proposals, batch.image_sizes)[0][0]
        return found["boxes"], found["labels"], found["scores"], found["masks"]


def halve(path):
    """Stores large float32 initialisers as float16 with a Cast behind each, so the file is half as big."""
    graph = onnx.load(path)
    casts = []
    for index, tensor in enumerate(list(graph.graph.initializer)):
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < 1024:
            continue
        # The initialiser is overwritten in place, and `tensor` with it: keep its name.
        name = tensor.name
        graph.graph.initializer[index].CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + "_float16"))
        casts.append(helper.make_node("Cast", [name + "_float16"], [name], "cast_" + name, to=onnx.TensorProto.FLOAT))
    for k, node in enumerate(casts):
        graph.graph.node.insert(k, node)
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint")
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--zoo", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)
    model, _, _ = load(options.checkpoint, options.size)
    wrapped = (Zoo if options.zoo else Plain)(model).eval()
    example = torch.rand(3, 320, 448) * 255 - 110 if options.zoo else torch.rand(3, 480, 640)
    axes = {"image": {1: "height", 2: "width"}}
    axes.update({name: {0: "instances"} for name in ("boxes", "labels", "scores")})
    axes["masks"] = {0: "instances"} if options.zoo else {0: "instances", 2: "height", 3: "width"}
    with torch.no_grad():
        torch.onnx.export(
            wrapped, (example,), options.out, opset_version=11, do_constant_folding=True,
            input_names=["image"], output_names=["boxes", "labels", "scores", "masks"], dynamic_axes=axes,
        )
    if options.zoo:
        halve(options.out)


if __name__ == "__main__":
    main()
