"""Writes three tiny SAMs of exactly the three signatures, whose answers can be told beforehand.

They have no weights to speak of: the embedding is the picture's colour, and the decoder answers with what is
coloured like the pixels under the clicks, cut at three tolerances (SAM's part, piece and whole), less what is
more like the negative clicks, within the box if there is one. A mask fed back stays where it is surer than 4.
  tiny-sam2  SAM 2: two maps of high resolution, three masks, any number of lists of clicks at a time
  tiny-sam1  SAM as samexporter writes it: 1024 on the long side, padded; four masks at the size it is told
  tiny-efficient-sam  EfficientSAM as its authors export it: a picture of any size, normalised by the graph; clicks with
             one axis more, in pixels of the size it is told as int64, no negative ones; no mask back; three masks at
             that size, and a third output that has no name of its own

Usage: /usr/bin/python3 make_tiny_sams.py   (torch 1.13, onnx 1.12)
"""
import hashlib, json, os
import torch
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
TOLERANCES = (0.05, 0.3, 1.2)
SCORES = (0.95, 0.9, 0.85)
STEEP = 20.0
torch.set_num_threads(1)


def channels(count):
    """1 x 1 convolution that keeps the colour in the first three of `count` channels."""
    conv = nn.Conv2d(3, count, 1, bias=False)
    with torch.no_grad():
        conv.weight.zero_()
        for c in range(3):
            conv.weight[c, c] = 1
    return conv


class Encoder2(nn.Module):
    def __init__(self):
        super().__init__()
        self.high0, self.high1, self.low = channels(32), channels(64), channels(256)

    def forward(self, image):
        return self.high0(F.avg_pool2d(image, 4)), self.high1(F.avg_pool2d(image, 8)), self.low(F.avg_pool2d(image, 16))


class Encoder1(nn.Module):
    def __init__(self):
        super().__init__()
        self.low = channels(256)

    def forward(self, image):
        return self.low(F.avg_pool2d(image, 16))


def low_resolution(colour, coords, labels, mask, has_mask):
    """[1,3,256,256], [n,p,2] in 1024, [n,p], [n,1,256,256], [1] -> logits [n,3,256,256]"""
    n, p = labels.shape[0], labels.shape[1]
    at = (coords / 4).floor().clamp(0, 255).long()
    flat = colour.flatten(2)[0]
    under = torch.index_select(flat, 1, (at[..., 1] * 256 + at[..., 0]).reshape(-1)).reshape(3, n, p)
    away = ((colour[0].reshape(3, 1, 1, 256, 256) - under.reshape(3, n, p, 1, 1)) ** 2).sum(0)
    kind = labels.reshape(n, p, 1, 1)
    far = torch.tensor(99.0)
    inside = torch.where(kind == 1, away, far).min(1, keepdim=True)[0]
    outside = torch.where(kind == 0, away, far).min(1, keepdim=True)[0]
    # A box is the colour at its middle, and nothing beyond its corners.
    first = torch.where(labels == 2, torch.ones_like(labels), torch.zeros_like(labels)).unsqueeze(-1)
    second = torch.where(labels == 3, torch.ones_like(labels), torch.zeros_like(labels)).unsqueeze(-1)
    boxed = first.sum(1).reshape(n, 1, 1, 1)
    low, high = (coords * first).sum(1) / 4, (coords * second).sum(1) / 4
    middle = ((low + high) / 2).floor().clamp(0, 255).long()
    of_box = torch.index_select(flat, 1, middle[:, 1] * 256 + middle[:, 0]).reshape(3, n, 1, 1, 1)
    box_away = ((colour[0].reshape(3, 1, 1, 256, 256) - of_box) ** 2).sum(0)
    inside = torch.minimum(inside, torch.where(boxed > 0, box_away, far))
    grid = torch.arange(256, dtype=torch.float32) + 0.5
    within = (
        (grid.reshape(1, 1, 1, 256) >= low[:, 0].reshape(n, 1, 1, 1)).float()
        * (grid.reshape(1, 1, 1, 256) <= high[:, 0].reshape(n, 1, 1, 1)).float()
        * (grid.reshape(1, 1, 256, 1) >= low[:, 1].reshape(n, 1, 1, 1)).float()
        * (grid.reshape(1, 1, 256, 1) <= high[:, 1].reshape(n, 1, 1, 1)).float()
    )
    limit = torch.where(boxed > 0, within * 99.0 - 20.0, far)
    tolerance = torch.tensor(TOLERANCES).reshape(1, 3, 1, 1)
    logits = torch.minimum(STEEP * torch.minimum(tolerance - inside, outside - inside - 0.01), limit)
    held = torch.where(has_mask.reshape(1, 1, 1, 1) > 0, mask - 4, torch.tensor(-32.0))
    return torch.maximum(logits, held).clamp(-32, 32)


class Decoder2(nn.Module):
    def forward(self, embed, high0, high1, coords, labels, mask, has_mask):
        unused = 0 * (embed.sum() + high1.sum())
        masks = low_resolution(high0[:, :3], coords, labels, mask, has_mask) + unused
        return masks, torch.tensor([SCORES]).repeat(labels.shape[0], 1)


class Decoder1(nn.Module):
    def forward(self, embed, coords, labels, mask, has_mask, size):
        colour = F.interpolate(embed[:, :3], size=(256, 256), mode="bilinear", align_corners=False)
        three = low_resolution(colour, coords, labels, mask, has_mask)
        low = torch.cat([three[:, 1:2], three], 1)
        scores = torch.tensor([[0.8, *SCORES]]).repeat(labels.shape[0], 1)
        large = F.interpolate(low, size=(1024, 1024), mode="bilinear", align_corners=False)
        scale = 1024.0 / size.max()
        side = (size * scale + 0.5).floor().long()
        large = large[..., : side[0], : side[1]]
        whole = size.long()
        return F.interpolate(large, size=(whole[0], whole[1]), mode="bilinear", align_corners=False), scores, low


class EfficientEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.low = channels(256)

    def forward(self, images):
        images = F.interpolate(images, (1024, 1024), mode="bilinear")
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        return self.low(F.avg_pool2d((images - mean.reshape(1, 3, 1, 1)) / std.reshape(1, 3, 1, 1), 16))


class EfficientDecoder(nn.Module):
    MARKS = 6

    def forward(self, embed, coords, labels, size):
        high, wide = size[0], size[1]
        scaled = torch.stack([coords[..., 0] * 1024 / wide, coords[..., 1] * 1024 / high], -1)
        # Too few marks are padded, too many cut off, as in its authors' export.
        missing = self.MARKS - labels.shape[2]
        scaled = F.pad(scaled, (0, 0, 0, missing), value=-1.0).reshape(-1, self.MARKS, 2)
        kinds = F.pad(labels, (0, missing), value=-1.0).reshape(-1, self.MARKS)
        colour = F.interpolate(embed[:, :3], size=(256, 256), mode="bilinear", align_corners=False)
        # It never learnt what a negative click is: one counts as none.
        kinds = torch.where(kinds == 0, torch.full_like(kinds, -1), kinds)
        low = low_resolution(colour, scaled, kinds, torch.zeros(1, 1, 1, 1), torch.zeros(1))
        masks = F.interpolate(low, size=(high, wide), mode="bilinear", align_corners=False)
        return masks.unsqueeze(0), torch.tensor([SCORES]).repeat(labels.shape[1], 1).unsqueeze(0), low


def export(folder, name, module, inputs, names, outputs, dynamic):
    path = os.path.join(folder, name)
    torch.onnx.export(module.eval(), inputs, path, input_names=names, output_names=outputs, dynamic_axes=dynamic, opset_version=16)
    data = open(path, "rb").read()
    return {"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def write(identifier, variant, files, image_input, encoder_outputs, decoder_inputs, decoder_outputs):
    manifest = {
        "format": 1,
        "id": identifier,
        "name": f"Tiny {variant}, what is coloured alike",
        "version": "1",
        "family": "sam",
        "variant": variant,
        "files": files,
        "input": image_input,
        "encoder": {"outputs": encoder_outputs},
        "decoder": {"inputs": decoder_inputs, "outputs": decoder_outputs},
        "labels": ["object"],
        "thresholds": {"score": 0.88, "keep": 0.8},
        "license": "Apache-2.0",
        "source": "test/tiny-sams/make_tiny_sams.py",
        "goldens": [],
    }
    with open(os.path.join(HERE, identifier, "manifest.json"), "w") as file:
        file.write(json.dumps(manifest, indent=2) + "\n")


def main():
    n, p = 2, 3
    prompts = (torch.rand(n, p, 2) * 1024, torch.tensor([[1.0, 0, -1], [2, 3, 1]]), torch.zeros(n, 1, 256, 256), torch.zeros(1))
    plain = {"color": "rgb", "range": 1, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "layout": "nchw"}
    common = {"pointCoords": "point_coords", "pointLabels": "point_labels", "maskInput": "mask_input", "hasMaskInput": "has_mask_input"}

    folder = os.path.join(HERE, "tiny-sam2")
    os.makedirs(folder, exist_ok=True)
    names = ["high_res_feats_0", "high_res_feats_1", "image_embed"]
    encoder = Encoder2().eval()
    image = torch.rand(1, 3, 1024, 1024)
    high0, high1, low = encoder(image)
    files = {"encoder": export(folder, "encoder.onnx", encoder, (image,), ["image"], names, {})}
    inputs = ["image_embed", "high_res_feats_0", "high_res_feats_1", "point_coords", "point_labels", "mask_input", "has_mask_input"]
    dynamic = {"point_coords": {0: "n", 1: "p"}, "point_labels": {0: "n", 1: "p"}, "mask_input": {0: "n"}}
    files["decoder"] = export(folder, "decoder.onnx", Decoder2(), (low, high0, high1, *prompts), inputs, ["masks", "iou_predictions"], dynamic)
    write(
        "tiny-sam2", "sam2", files,
        {"name": "image", **plain, "fit": {"mode": "stretch", "width": 1024, "height": 1024}},
        {"embedding": "image_embed", "highRes0": names[0], "highRes1": names[1]},
        {"embedding": "image_embed", "highRes0": names[0], "highRes1": names[1], **common},
        {"masks": "masks", "scores": "iou_predictions"},
    )

    folder = os.path.join(HERE, "tiny-sam1")
    os.makedirs(folder, exist_ok=True)
    encoder = Encoder1().eval()
    files = {"encoder": export(folder, "encoder.onnx", encoder, (image,), ["image"], ["image_embeddings"], {})}
    inputs = ["image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size"]
    one = (prompts[0][:1], prompts[1][:1], prompts[2][:1], prompts[3])
    files["decoder"] = export(
        folder, "decoder.onnx", Decoder1(), (encoder(image), *one, torch.tensor([192.0, 256.0])), inputs,
        ["masks", "iou_predictions", "low_res_masks"], {"point_coords": {1: "p"}, "point_labels": {1: "p"}},
    )
    bytewise = {**plain, "range": 255, "mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
    write(
        "tiny-sam1", "sam1", files,
        {"name": "image", **bytewise, "fit": {"mode": "long-side", "width": 1024, "height": 1024}},
        {"embedding": "image_embeddings"},
        {"embedding": "image_embeddings", **common, "imageSize": "orig_im_size"},
        {"masks": "masks", "scores": "iou_predictions", "lowRes": "low_res_masks"},
    )

    folder = os.path.join(HERE, "tiny-efficient-sam")
    os.makedirs(folder, exist_ok=True)
    encoder = EfficientEncoder().eval()
    photo = torch.rand(1, 3, 270, 480)
    sizes = {"batched_images": {0: "batch", 2: "height", 3: "width"}}
    files = {"encoder": export(folder, "encoder.onnx", encoder, (photo,), ["batched_images"], ["image_embeddings"], sizes)}
    inputs = ["image_embeddings", "batched_point_coords", "batched_point_labels", "orig_im_size"]
    queries = (torch.rand(1, 5, 3, 2) * 270, torch.ones(1, 5, 3), torch.tensor([270, 480]))
    lists = {"batched_point_coords": {1: "queries", 2: "points"}, "batched_point_labels": {1: "queries", 2: "points"}}
    files["decoder"] = export(
        folder, "decoder.onnx", EfficientDecoder(), (encoder(photo), *queries), inputs, ["output_masks", "iou_predictions"], lists,
    )
    write(
        "tiny-efficient-sam", "efficient-sam", files,
        {"name": "batched_images", **plain, "mean": [0, 0, 0], "std": [1, 1, 1], "fit": {"mode": "stretch", "width": 1024, "height": 1024}},
        {"embedding": "image_embeddings"},
        {"embedding": "image_embeddings", "pointCoords": inputs[1], "pointLabels": inputs[2], "imageSize": "orig_im_size"},
        {"masks": "output_masks", "scores": "iou_predictions"},
    )


main()
