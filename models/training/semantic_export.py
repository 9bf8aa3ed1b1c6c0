"""Writes a semantic checkpoint as ONNX, opset 13, any size that the network can halve often enough.

    python3 semantic_export.py RUN/unet/checkpoint.pt:1,RUN/unet-2/checkpoint.pt:2 --out ../unet-nuclei/model.onnx

Several checkpoints of one kind, each with a weight, become one graph that answers with the weighted mean of their logits.
image [1,3,H,W] RGB 0..1 -> `foreground` [1,1,H,W] probabilities (U-Net) or `logits` [1,classes,h,w].
"""
import argparse

import onnx
import torch
from torch import nn

import semantic_model as networks

OPSET = 13


def load(checkpoints):
    """-> (model in eval mode, class names with the background first, the whole first checkpoint)"""
    states, weights, models = [], [], []
    for path, _, weight in (entry.partition(":") for entry in checkpoints.split(",")):
        state = torch.load(path, map_location="cpu")
        states.append(state)
        weights.append(float(weight or 1))
        models.append(networks.build(state["kind"], len(state["names"])))
        models[-1].load_state_dict(state["weights"])
    model = models[0] if len(models) == 1 else networks.Mean(models, weights)
    return model.eval(), states[0]["names"], states[0]


def max_pool(g, x, kernel, stride, padding, dilation, ceil):
    """Places as ONNX counts them, over the whole tensor (torch: within a plane); MaxUnpool counts as its MaxPool does."""
    return g.op("MaxPool", x, kernel_shape_i=[2, 2], strides_i=[2, 2], outputs=2)


def max_unpool(g, x, places, size):
    return g.op("MaxUnpool", x, places, kernel_shape_i=[2, 2], strides_i=[2, 2])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint", help="or several: A:1,B:2")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    torch.onnx.register_custom_op_symbolic("aten::max_pool2d_with_indices", max_pool, OPSET)
    torch.onnx.register_custom_op_symbolic("aten::max_unpool2d", max_unpool, OPSET)
    model, _, state = load(options.checkpoint)
    unet = state["kind"] == "unet"
    output = "foreground" if unet else "logits"
    graph = nn.Sequential(model, nn.Sigmoid()) if unet else model
    axes = {"image": {2: "height", 3: "width"}, output: {2: "rows", 3: "columns"}}
    with torch.no_grad():
        torch.onnx.export(
            graph.eval(), (torch.rand(1, 3, 192, 256),), options.out, opset_version=OPSET, do_constant_folding=True,
            input_names=["image"], output_names=[output], dynamic_axes=axes,
        )
    written = onnx.load(options.out)
    print(sorted({node.op_type for node in written.graph.node}))


if __name__ == "__main__":
    main()
