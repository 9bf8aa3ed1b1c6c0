"""A classifier that says which classes of objects a scene shows: trains it, measures it, writes it as ONNX, and its golden.

    python3 classifier.py train  --data DATA/train --start RUN/scenes/final.pt --out tags.pt --rounds 40
    python3 classifier.py score  tags.pt --data DATA/held
    python3 classifier.py export tags.pt --out ../scene-tags/model.onnx
    python3 classifier.py golden tags.pt IMAGE --out ../scene-tags/golden/scene.json

The stages of our Mask R-CNN's backbone (model.py) up to stride 16, with its weights as they are, then three small layers
and the largest answer over the picture: a class is there when it is anywhere. 320x240, stretched. Only the layers are
trained, on the stages' answers, which are computed once; binary cross entropy; AdamW with a cosine.
"""
import argparse
import json
import os

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

import export as signatures
import model as networks
from bundled import SmallBackbone

WIDTH, HEIGHT = 320, 240


class Tags(nn.Module):
    """[n,3,240,320] RGB, normalised -> logits [n,classes]"""

    def __init__(self, classes):
        super().__init__()
        backbone = SmallBackbone()
        self.stages = nn.Sequential(backbone.stem, backbone.stage2, backbone.stage3, backbone.stage4)
        # Channels of its stage 4.
        wide = 160
        self.heads = nn.Sequential(nn.Conv2d(wide, 96, 1), nn.ReLU(), nn.Conv2d(96, 64, 3, 1, 1), nn.ReLU(), nn.Conv2d(64, classes, 1))
        nn.init.constant_(self.heads[-1].bias, -2)

    def forward(self, x):
        return self.heads(self.stages(x)).amax((2, 3))

    def begin(self, checkpoint):
        """Takes the stages' weights from a checkpoint of the Mask R-CNN."""
        weights = torch.load(checkpoint, map_location="cpu")["average"]
        own = self.stages.state_dict()
        for k, name in enumerate(("stem", "stage2", "stage3", "stage4")):
            for key in own:
                if key.startswith(f"{k}."):
                    own[key] = weights[f"backbone.{name}.{key.split('.', 1)[1]}"]
        self.stages.load_state_dict(own)


def tensor(picture):
    """A PIL image -> float [3,240,320], normalised."""
    small = np.asarray(picture.resize((WIDTH, HEIGHT), Image.BILINEAR), dtype=np.float32) / 255
    return torch.from_numpy(((small - np.float32(networks.MEAN)) / np.float32(networks.STD)).transpose(2, 0, 1).copy())


def load(folder):
    """-> uint8 pictures [n,240,320,3], truth [n,classes], class names"""
    with open(os.path.join(folder, "annotations.json"), encoding="utf-8") as file:
        data = json.load(file)
    index = {c["id"]: k for k, c in enumerate(data["categories"])}
    place = {image["id"]: k for k, image in enumerate(data["images"])}
    truth = np.zeros((len(place), len(index)), dtype=np.float32)
    for a in data["annotations"]:
        truth[place[a["image_id"]], index[a["category_id"]]] = 1
    pictures = np.zeros((len(place), HEIGHT, WIDTH, 3), dtype=np.uint8)
    for k, image in enumerate(data["images"]):
        with Image.open(os.path.join(folder, "images", os.path.basename(image["file_name"]))) as picture:
            pictures[k] = np.asarray(picture.convert("RGB").resize((WIDTH, HEIGHT), Image.BILINEAR))
    return pictures, torch.from_numpy(truth), [c["name"] for c in data["categories"]]


def answers(model, pictures):
    """What the stages answer, as float16 [n,channels,15,20]."""
    rows = []
    with torch.no_grad():
        for k in range(0, len(pictures), 16):
            x = torch.stack([tensor(Image.fromarray(p)) for p in pictures[k:k + 16]])
            rows.append(model.stages(x).half())
            if k % 160 == 0:
                print(f"{k} of {len(pictures)} pictures", flush=True)
    return torch.cat(rows)


def train(options):
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    pictures, truth, names = load(options.data)
    model = Tags(len(names)).eval()
    model.begin(options.start)
    seen = answers(model, pictures)
    adam = torch.optim.AdamW(model.heads.parameters(), lr=2e-3, weight_decay=0.02)
    steps = options.rounds * (len(seen) // options.batch)
    plan = torch.optim.lr_scheduler.OneCycleLR(adam, 2e-3, total_steps=steps, pct_start=0.05)
    for around in range(options.rounds):
        order, losses = torch.randperm(len(seen)), []
        for k in range(len(seen) // options.batch):
            chosen = order[k * options.batch:(k + 1) * options.batch]
            x = seen[chosen].float()
            # A scene is as good a scene mirrored, and the stages answer nearly as if they had seen it so.
            x = x.flip(3) if torch.rand(1) < 0.5 else x
            x = x.flip(2) if torch.rand(1) < 0.5 else x
            loss = F.binary_cross_entropy_with_logits(model.heads(F.dropout2d(x, 0.1)).amax((2, 3)), truth[chosen])
            adam.zero_grad()
            loss.backward()
            adam.step()
            plan.step()
            losses.append(loss.item())
        print(f"round {around + 1}: loss {np.mean(losses):.4f}", flush=True)
    torch.save({"names": names, "weights": model.state_dict(), "rounds": options.rounds, "seed": options.seed}, options.out)


def restore(checkpoint):
    state = torch.load(checkpoint, map_location="cpu")
    model = Tags(len(state["names"]))
    model.load_state_dict(state["weights"])
    return model.eval(), state["names"]


def score(options):
    model, names = restore(options.checkpoint)
    pictures, truth, found_names = load(options.data)
    assert names == found_names, (names, found_names)
    with torch.no_grad():
        found = torch.cat([model(tensor(Image.fromarray(p))[None]) for p in pictures]).sigmoid()
    yes, true = found >= 0.5, truth > 0.5
    for k, name in enumerate(names):
        order = true[:, k][found[:, k].argsort(descending=True)].float()
        precision = order.cumsum(0) / torch.arange(1, len(order) + 1)
        both = (yes[:, k] & true[:, k]).sum().item()
        figures = f"in {true[:, k].sum().item():3d}, AP {(precision * order).sum() / order.sum():.3f}"
        print(f"{name:14s} {figures}, precision {both / max(1, yes[:, k].sum().item()):.3f}, recall {both / max(1, true[:, k].sum().item()):.3f}")
    both = (yes & true).sum().item()
    print(f"all {true.numel()}: right {(yes == true).float().mean():.4f}, F1 {2 * both / (yes.sum() + true.sum()).item():.4f}, "
          f"pictures wholly right {(yes == true).all(1).float().mean():.2f}")


def write(options):
    model, _ = restore(options.checkpoint)
    with torch.no_grad():
        torch.onnx.export(nn.Sequential(model, nn.Sigmoid()).eval(), (torch.rand(1, 3, HEIGHT, WIDTH),), options.out, opset_version=13,
                          do_constant_folding=True, input_names=["image"], output_names=["scores"])
    signatures.halve(options.out)
    print(options.out, os.path.getsize(options.out), "bytes")


def golden(options):
    model, names = restore(options.checkpoint)
    picture = Image.open(options.image).convert("RGB")
    with torch.no_grad():
        scores = model(tensor(picture)[None]).sigmoid()[0].tolist()
    tags = sorted(({"label": n, "score": round(s, 6)} for n, s in zip(names, scores)), key=lambda tag: -tag["score"])
    with open(options.out, "w", encoding="utf-8") as file:
        json.dump({"width": picture.width, "height": picture.height, "instances": [], "tags": tags}, file, indent=1)
        file.write("\n")
    print(options.out, tags)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["train", "score", "export", "golden"])
    parser.add_argument("checkpoint", nargs="?")
    parser.add_argument("image", nargs="?")
    parser.add_argument("--data")
    parser.add_argument("--start")
    parser.add_argument("--out")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    {"train": train, "score": score, "export": write, "golden": golden}[options.what](options)


if __name__ == "__main__":
    main()
