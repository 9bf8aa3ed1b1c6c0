"""Writes a tiny network of exactly the signature of SAM 1 as it is exported for ONNX Runtime.

It has learned nothing: its encoder is the mean colour of each sixteenth, its decoder calls the object what
has the colour of the clicks, near them, and not the colour of the negative ones. That is enough to test, in
milliseconds and with a real graph, all that lies between a click on the canvas and a mask on it.

  encoder  input_image [1,3,1024,1024] -> image_embeddings [1,256,64,64]
  decoder  image_embeddings, point_coords [n,p,2], point_labels [n,p], mask_input [n,1,256,256],
           has_mask_input [1], orig_im_size [2] -> masks [n,4,H,W], iou_predictions [n,4],
           low_res_masks [n,4,256,256]; the first of the four is SAM's single mask

Usage: /usr/bin/python3 make_tiny_sam.py   (torch 1.13, onnx 1.12)
"""
import hashlib, json, os
import torch
from torch import nn
from torch.nn import functional as F

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tiny-sam")
SIDE, GRID, LOW = 1024, 64, 256
# How much the colour may differ: the single mask, then the three from part to whole.
REACH = (0.45, 0.2, 0.45, 1.1)
STEEPNESS = 30.0
FAR = 1e4
torch.manual_seed(5)
torch.set_num_threads(1)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(3, 256, 1, bias=False)
        with torch.no_grad():
            self.mix.weight[:3] = torch.eye(3)[:, :, None, None]

    def forward(self, image):
        return self.mix(F.avg_pool2d(image, SIDE // GRID))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        y, x = torch.meshgrid(torch.arange(GRID), torch.arange(GRID), indexing="ij")
        self.register_buffer("places", ((torch.stack([x, y], -1).float() + 0.5) * (SIDE / GRID)).reshape(-1, 2))
        self.register_buffer("reach", torch.tensor(REACH).reshape(1, 4, 1))

    def distance(self, colours, points):
        """How unlike each of n x p points every cell is, by colour and a little by place: [n, p, cells]."""
        cell = (points / (SIDE / GRID)).floor().clamp(0, GRID - 1).long()
        wanted = colours[:, cell[..., 1] * GRID + cell[..., 0]].permute(1, 2, 0)
        by_colour = (colours.t()[None, None] - wanted[:, :, None]).pow(2).sum(-1)
        by_place = (self.places[None, None] - points[:, :, None]).pow(2).sum(-1) / SIDE**2
        return by_colour + by_place

    def forward(self, image_embeddings, point_coords, point_labels, mask_input, has_mask_input, orig_im_size):
        colours = image_embeddings[0, :3].reshape(3, -1)
        unlike = self.distance(colours, point_coords)
        yes = (point_labels == 1).float()[:, :, None]
        no = (point_labels == 0).float()[:, :, None]
        low = ((point_labels == 2).float()[:, :, None] * point_coords).sum(1)
        high = ((point_labels == 3).float()[:, :, None] * point_coords).sum(1)
        boxed = (point_labels == 2).float().sum(1)[:, None]
        middle = self.distance(colours, ((low + high) / 2)[:, None])[:, 0] + (1 - boxed) * FAR
        like = torch.minimum((unlike + (1 - yes) * FAR).min(1).values, middle)
        other = (unlike + (1 - no) * FAR).min(1).values
        # Nearer to a negative point than to a positive one is not the object.
        logits = torch.minimum(self.reach - like[:, None], (other - like)[:, None] + 0 * self.reach)
        inside = (self.places[None] >= low[:, None]).all(-1).float() * (self.places[None] <= high[:, None]).all(-1).float()
        logits = logits - (boxed * (1 - inside))[:, None] * 2
        before = F.avg_pool2d(mask_input, LOW // GRID).reshape(mask_input.shape[0], 1, -1)
        logits = (STEEPNESS * logits + 0.1 * has_mask_input * before).clamp(-20, 20)
        low_res = F.interpolate(logits.reshape(-1, 4, GRID, GRID), size=(LOW, LOW), mode="bilinear", align_corners=False)
        covered = (low_res > 0).float()
        sure = torch.sigmoid(low_res) * covered
        scores = sure.sum((2, 3)) / (covered.sum((2, 3)) + 1e-3)
        # SAM enlarges to its input's side first and then crops; cropping first is the same and takes a moment.
        size = torch.floor(orig_im_size * (LOW / orig_im_size.max()) + 0.5).long()
        whole = orig_im_size.long()
        masks = low_res[..., : size[0], : size[1]]
        masks = F.interpolate(masks, size=(whole[0], whole[1]), mode="bilinear", align_corners=False)
        return masks, scores, low_res


def export(module, name, example, inputs, outputs, axes):
    path = os.path.join(HERE, name)
    torch.onnx.export(module.eval(), example, path, opset_version=16, input_names=inputs, output_names=outputs, dynamic_axes=axes)
    data = open(path, "rb").read()
    print(name, len(data), "bytes")
    return {"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def main():
    os.makedirs(HERE, exist_ok=True)
    encoder = export(Encoder(), "encoder.onnx", (torch.zeros(1, 3, SIDE, SIDE),), ["input_image"], ["image_embeddings"], {})
    names = ["image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size"]
    example = (
        torch.randn(1, 256, GRID, GRID), torch.rand(2, 3, 2) * SIDE, torch.tensor([[1.0, 0.0, -1.0]] * 2),
        torch.zeros(2, 1, LOW, LOW), torch.zeros(1), torch.tensor([300.0, 400.0]),
    )
    axes = {
        "point_coords": {0: "n", 1: "p"}, "point_labels": {0: "n", 1: "p"}, "mask_input": {0: "n"},
        "masks": {0: "n", 2: "height", 3: "width"}, "iou_predictions": {0: "n"}, "low_res_masks": {0: "n"},
    }
    decoder = export(Decoder(), "decoder.onnx", example, names, ["masks", "iou_predictions", "low_res_masks"], axes)
    manifest = {
        "format": 1, "id": "tiny-sam", "name": "Tiny test model, SAM 1 signature", "version": "1",
        "family": "sam", "variant": "sam1",
        "files": {"encoder": encoder, "decoder": decoder},
        "input": {
            "name": "input_image", "color": "rgb", "range": 1, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
            "layout": "nchw", "fit": {"mode": "long-side", "width": SIDE, "height": SIDE},
        },
        "encoder": {"outputs": {"embedding": "image_embeddings"}},
        "decoder": {
            "inputs": {
                "embedding": "image_embeddings", "pointCoords": "point_coords", "pointLabels": "point_labels",
                "maskInput": "mask_input", "hasMaskInput": "has_mask_input", "imageSize": "orig_im_size",
            },
            "outputs": {"masks": "masks", "scores": "iou_predictions", "lowRes": "low_res_masks"},
        },
        "labels": ["object"], "thresholds": {"score": 0.88, "keep": 0.7},
        "license": "Apache-2.0", "source": "test/tiny-prompts/make_tiny_sam.py", "goldens": [],
    }
    with open(os.path.join(HERE, "manifest.json"), "w") as file:
        json.dump(manifest, file, indent=2)
        file.write("\n")


main()
