#!/usr/bin/env python3
"""Trains a Mask R-CNN on this folder's dataset with torchvision and writes it as ONNX for Maskloop.

    python3 train_torchvision.py             all of it; see README.md
    python3 train_torchvision.py --smoke     a few steps, to see that everything works here
"""
import argparse
import copy
import datetime
import json
import math
import os
import random
import shutil
import time

import numpy as np
import torch
from torch.nn import functional as F

import bundle_model as networks
import bundle_score as score
from bundle_data import HERE, Bundle, BundleError, stop

# By network: shorter side of an image, images a step, learning rate at 16 images a step.
DEFAULTS = {
    "resnet50": {"size": 640, "batch": 2, "rate": 0.02},
    "small": {"size": 384, "batch": 4, "rate": 0.004},
}
# An epoch over few images repeats them, so that there is something to measure at its end.
LEAST_STEPS = 50
# Decoded images and masks that are kept between epochs, in bytes, by all processes that decode.
KEPT = 800e6
# What an epoch is scored on, at most; the last score is of all.
SCORED = 300


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=("auto", "resnet50", "small"), default="auto", help="the network (README.md)")
    parser.add_argument("--weights", help="COCO weights of maskrcnn_resnet50_fpn as a file")
    parser.add_argument("--init", help="checkpoint.pt or best.pt of an earlier run to start from")
    parser.add_argument("--scratch", action="store_true", help="start from nothing, also where COCO weights can be had")
    parser.add_argument("--out", default=os.path.join(HERE, "runs", "latest"), help="folder of the run (default: runs/latest)")
    parser.add_argument("--resume", action="store_true", help="go on with the run that --out holds")
    parser.add_argument("--smoke", action="store_true", help="a few steps on a few small images")
    parser.add_argument("--epochs", type=int, help="default: what makes about 2,000 steps, from 12 to 60")
    parser.add_argument("--minutes", type=float, help="end in that time; the learning rate falls to its end by then")
    parser.add_argument("--size", type=int, help="shorter side of an image in pixels")
    parser.add_argument("--batch", type=int, help="images a step")
    parser.add_argument("--rate", type=float, help="learning rate")
    parser.add_argument("--turns", action="store_true", help="also turn images by quarters: where nothing has an up and a down")
    parser.add_argument("--evaluate-every", type=int, default=1, metavar="N", help="score every N epochs")
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="auto: mixed on CUDA")
    parser.add_argument("--device", default="auto", help="cuda, cuda:1, cpu …")
    parser.add_argument("--workers", type=int, help="processes that decode images")
    parser.add_argument("--threads", type=int, help="threads of PyTorch on a CPU")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--version", help="version of the model (default: the time, UTC)")
    return parser.parse_args()


class Augmented(torch.utils.data.Dataset):
    """(epoch, index) -> image float [3,h,w] and torchvision's target; the same pair gives the same picture."""

    def __init__(self, data, size, seed, turns, room=0.0):
        self.data, self.size, self.seed, self.turns, self.room, self.kept = data, size, seed, turns, room, {}

    def __len__(self):
        return len(self.data)

    def __getitem__(self, key):
        epoch, index = key
        rng = random.Random(f"{self.seed} {epoch} {index}")
        rgb, labels, masks, crowds = self.item(index % len(self.data))
        # torchvision has no way to pass a crowd over.
        labels, masks = labels[~crowds], masks[~crowds]
        image = torch.from_numpy(rgb.copy()).permute(2, 0, 1).float() / 255
        masks = torch.from_numpy(masks.astype(np.uint8))
        image, masks = window(image, masks, self.size, rng)
        if rng.random() < 0.5:
            image, masks = image.flip(2), masks.flip(2)
        if self.turns:
            quarters = rng.randrange(4)
            image, masks = torch.rot90(image, quarters, (1, 2)), torch.rot90(masks, quarters, (1, 2))
        return colours(image, rng).contiguous(), target(labels, masks.contiguous())

    def item(self, k):
        if k in self.kept:
            return self.kept[k]
        item = self.data.item(k)
        size = item[0].nbytes + item[2].nbytes
        if size <= self.room:
            self.room -= size
            self.kept[k] = item
        return item


def window(image, masks, size, rng):
    """A part of the image at a random scale: 0.75 to 1.35 of the size at which the network sees it later."""
    height, width = image.shape[1:]
    scale = size / min(height, width) * rng.uniform(0.75, 1.35)
    scale = min(scale, 2.2 * size / max(height, width))
    most = (size * 1.05, size * 1.6) if height < width else (size * 1.6, size * 1.05)
    h, w = min(height, math.ceil(most[0] / scale)), min(width, math.ceil(most[1] / scale))
    area = masks.sum((1, 2))
    for attempt in range(8):
        y, x = rng.randint(0, height - h), rng.randint(0, width - w)
        part = masks[:, y : y + h, x : x + w]
        # A window onto nothing teaches little; take another one if there is any.
        if attempt == 7 or len(masks) == 0 or bool((part.sum((1, 2)) > 0.5 * area).any()):
            break
    image = image[:, y : y + h, x : x + w]
    to = (max(32, round(h * scale)), max(32, round(w * scale)))
    # The network's own graph resizes without a filter, photographs elsewhere are resized with one.
    image = F.interpolate(image[None], to, mode="bilinear", align_corners=False, antialias=rng.random() < 0.5)[0].clamp(0, 1)
    if len(part) == 0:
        return image, masks.new_zeros((0,) + to)
    return image, (F.interpolate(part[None].float(), to, mode="bilinear", align_corners=False)[0] > 0.5).to(torch.uint8)


def colours(image, rng):
    """Brightness, contrast, saturation and gamma, a little."""
    image = image * rng.uniform(0.8, 1.2)
    mean = image.mean()
    image = (image - mean) * rng.uniform(0.8, 1.2) + mean
    grey = image.mean(0, keepdim=True)
    image = grey + (image - grey) * rng.uniform(0.75, 1.25)
    return image.clamp(0, 1) ** rng.uniform(0.85, 1.18)


def target(labels, masks, least=12):
    """Instance masks [n,h,w] -> boxes x0 y0 x1 y1, labels, masks; what has less than `least` pixels left goes."""
    boxes, keep = [], []
    for k, mask in enumerate(masks):
        ys, xs = torch.where(mask.any(1))[0], torch.where(mask.any(0))[0]
        if len(ys) and int(mask.sum()) >= least and xs[-1] > xs[0] and ys[-1] > ys[0]:
            keep.append(k)
            boxes.append([float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1)])
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.as_tensor(labels)[keep],
        "masks": masks[keep],
    }


class Batches:
    """What each step of each epoch sees: lists of (epoch, index); images are repeated where an epoch has too few."""

    def __init__(self, images, first, options):
        self.images, self.first, self.options = images, first, options

    def __iter__(self):
        steps, batch = self.options.steps, self.options.batch
        for epoch in range(self.first, self.options.epochs):
            order, rng = [], random.Random(f"{self.options.seed} {epoch}")
            while len(order) < steps * batch:
                turn = list(range(self.images))
                rng.shuffle(turn)
                # A repeated image is augmented anew: its index goes on.
                order += [(epoch, len(order) // self.images * self.images + k) for k in turn]
            for k in range(steps):
                yield order[k * batch : (k + 1) * batch]


def together(items):
    """Images differ in size: they are batched by the network itself."""
    return tuple(zip(*items))


def mixed(model, device, dtype):
    """Runs convolutions and linear layers under autocast; RoIAlign, NMS and losses stay float32."""
    def widen(value):
        if isinstance(value, torch.Tensor):
            return value.float()
        if isinstance(value, dict):
            return type(value)((key, widen(item)) for key, item in value.items())
        return type(value)(widen(item) for item in value)

    def wrapped(forward):
        def run(*inputs):
            with torch.autocast(device.type, dtype=dtype):
                return widen(forward(*inputs))
        return run

    heads = model.roi_heads
    for part in (model.backbone, model.rpn.head, heads.box_head, heads.box_predictor, heads.mask_head, heads.mask_predictor):
        part.forward = wrapped(part.forward)


class Average:
    """Exponential moving average of weights and statistics: what is scored and exported."""

    def __init__(self, model, decay=0.998):
        self.model, self.decay, self.count = copy.deepcopy(model).eval(), decay, 0

    @torch.no_grad()
    def update(self, model):
        self.count += 1
        decay = min(self.decay, (1 + self.count) / (10 + self.count))
        theirs = model.state_dict()
        for key, value in self.model.state_dict().items():
            if value.dtype.is_floating_point:
                value.mul_(decay).add_(theirs[key], alpha=1 - decay)
            else:
                value.copy_(theirs[key])


@torch.no_grad()
def evaluate(model, data, device, most=None):
    """AP by masks and by boxes on (the first `most`) images. Large ones are scaled down first, as in Maskloop."""
    by_mask, by_box = [], []
    for k in range(len(data) if most is None else min(most, len(data))):
        rgb, labels, masks, crowds = data.item(k)
        image = torch.from_numpy(rgb.copy()).permute(2, 0, 1).float() / 255
        scale = math.sqrt(networks.MAX_PIXELS / (rgb.shape[0] * rgb.shape[1]))
        if scale < 1:
            to = (round(rgb.shape[0] * scale), round(rgb.shape[1] * scale))
            image = F.interpolate(image[None], to, mode="bilinear", align_corners=False, antialias=True)[0].clamp(0, 1)
            if len(masks):
                masks = F.interpolate(torch.from_numpy(masks.astype(np.uint8))[None], to, mode="nearest")[0].numpy().astype(bool)
            else:
                masks = np.zeros((0,) + to, dtype=bool)
        found = {key: value.cpu() for key, value in model([image.to(device)])[0].items()}
        scores, classes = found["scores"].numpy(), found["labels"].numpy()
        predicted = (found["masks"][:, 0] >= 0.5).numpy()
        edges = np.array([score.bounds(mask) for mask in masks], dtype=np.float64).reshape(-1, 4)
        boxes = edges[:, [2, 0, 3, 1]]
        by_mask.append((scores, classes, labels, crowds, score.mask_overlaps(predicted, masks, crowds)))
        by_box.append((scores, classes, labels, crowds, score.box_overlaps(found["boxes"].numpy(), boxes, crowds)))
    count = len(data.bundle.names)
    return {"segm": score.average_precision(by_mask, count), "bbox": score.average_precision(by_box, count)}


def choose(options, bundle, device):
    """The network, with whatever weights it starts from. -> (name, model, what it started from)"""
    classes = len(bundle.names)
    size = options.size

    def made(name, pretrained=False):
        return networks.build(name, classes, size or DEFAULTS[name]["size"], pretrained)

    if options.init:
        state = torch.load(options.init, map_location="cpu")
        name = state["model_name"]
        model = made(name, state["pretrained"])
        taken = networks.take_over(model, state["average"])
        return name, model, state["pretrained"], f"{options.init} ({taken} tensors of it)"
    if options.model != "small" and not options.scratch:
        weights = networks.coco_weights(options.weights)
        if weights is not None:
            model = made("resnet50", True)
            networks.take_over(model, weights)
            return "resnet50", model, True, "COCO weights of torchvision (COCO_V1)"
    name = "small" if options.model == "auto" else options.model
    if options.model == "auto":
        print(
            "Without COCO weights a small network is trained from scratch: a ResNet-50 would need thousands of images.\n"
            f"With internet once, or with --weights FILE from {networks.COCO.url}, it would start from them.",
            flush=True,
        )
    elif name == "resnet50" and not options.scratch:
        print("Training ResNet-50 from scratch: it needs thousands of images and a GPU.", flush=True)
    return name, made(name), False, "nothing"


def check(bundle, train):
    """What would make the training pointless, said before it starts."""
    if len(train) == 0:
        raise BundleError("“train” has no image. Put images into it in Maskloop, and export again.")
    counts = train.count()
    if sum(counts) == 0:
        raise BundleError("The images of “train” have no instance: there is nothing to learn. Annotate some, and export again.")
    print(f"{len(train)} images to train on: " + ", ".join(f"{n} × {name}" for name, n in zip(bundle.names, counts)), flush=True)
    never = [name for name, n in zip(bundle.names, counts) if n == 0]
    if never:
        print(f"WARNING: no instance in “train” of: {', '.join(never)}. The model will never propose it.", flush=True)


def set_aside(out):
    """An earlier run in the same place keeps its files, under the time of its end."""
    if os.path.isdir(out) and os.listdir(out):
        ended = datetime.datetime.fromtimestamp(os.path.getmtime(out)).strftime("%Y%m%d-%H%M%S")
        shutil.move(out, f"{out.rstrip(os.sep)}-{ended}")
        print(f"The earlier run is now in {out.rstrip(os.sep)}-{ended}", flush=True)
    os.makedirs(out)


def save(path, state):
    """Under another name first: whoever is interrupted keeps the last whole one."""
    torch.save(state, path + ".new")
    os.replace(path + ".new", path)


def main():
    options = arguments()
    started = time.time()
    bundle = Bundle()
    splits = bundle.splits()
    train = bundle.dataset("train")
    held = bundle.dataset("val") if "val" in splits else None
    # Read now, so that what is wrong with it is known before hours of training; never trained on, never scored here.
    if "test" in splits:
        bundle.dataset("test")
    check(bundle, train)
    device = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if options.device == "auto" else options.device)
    if options.smoke:
        train.limit(8)
        if held is not None:
            held.limit(2)
        options.size, options.batch, options.epochs = options.size or 160, options.batch or 2, options.epochs or 2
    if options.workers is None:
        options.workers = 0 if options.smoke else min(4, max(0, (os.cpu_count() or 1) - 1))
    if options.threads:
        torch.set_num_threads(options.threads)
    random.seed(options.seed)
    np.random.seed(options.seed)
    torch.manual_seed(options.seed)

    checkpoint, best_file = os.path.join(options.out, "checkpoint.pt"), os.path.join(options.out, "best.pt")
    log = os.path.join(options.out, "log.jsonl")
    state = None
    if options.resume:
        if not os.path.isfile(checkpoint):
            raise BundleError(f"{checkpoint} is not there: there is no run to go on with.")
        state = torch.load(checkpoint, map_location="cpu")
        if state["names"] != bundle.names:
            raise BundleError("The classes have changed since this run was begun. Start a new one; --init takes its weights over.")
        # It goes on as it was begun; only its length may be said anew.
        for key in ("size", "batch", "rate", "seed", "turns", "version", "steps"):
            setattr(options, key, state["options"][key])
        options.epochs = options.epochs or state["options"]["epochs"]
        options.minutes = options.minutes or state["options"]["minutes"]
        name, pretrained, origin = state["model_name"], state["pretrained"], state["origin"]
        model = networks.build(name, len(bundle.names), options.size, pretrained)
    else:
        name, model, pretrained, origin = choose(options, bundle, device)
        defaults = DEFAULTS[name]
        options.size = options.size or defaults["size"]
        options.batch = options.batch or defaults["batch"]
        options.rate = options.rate or defaults["rate"] * options.batch / 16
        options.version = options.version or datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%d-%H%M")
        options.steps = 3 if options.smoke else max(LEAST_STEPS, math.ceil(len(train) / options.batch))
        options.epochs = options.epochs or max(12, min(60, math.ceil(2000 / options.steps)))
        set_aside(options.out)
    model.to(device)
    average = Average(model)
    fat = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    thin = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    decay = 1e-4 if name == "resnet50" else 0.02
    groups = [{"params": fat, "weight_decay": decay}, {"params": thin, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=options.rate, momentum=0.9) if name == "resnet50" else torch.optim.AdamW(groups, lr=options.rate)
    epoch, step, before, best = 0, 0, 0.0, None
    if state is not None:
        model.load_state_dict(state["model"])
        average.model.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        average.count, epoch, step, before, best = state["count"], state["epoch"], state["step"], state["seconds"], state["best"]
        torch.set_rng_state(state["random"])
        print(f"Going on after epoch {epoch}, step {step}", flush=True)
    dtype = None
    if options.precision == "bfloat16" or (options.precision == "auto" and device.type == "cuda"):
        halves = device.type == "cuda" and options.precision == "auto" and not torch.cuda.is_bf16_supported()
        dtype = torch.float16 if halves else torch.bfloat16
        mixed(model, device, dtype)
    scaler = torch.cuda.amp.GradScaler(enabled=dtype == torch.float16)
    # What comes from `Augmented` has its size already; only the exported graph resizes.
    model.transform._skip_resize = True
    data = Augmented(train, options.size, options.seed, options.turns, KEPT / max(1, options.workers))
    loader = iter(
        torch.utils.data.DataLoader(
            data, batch_sampler=Batches(len(train), epoch, options), num_workers=options.workers, collate_fn=together
        )
    )
    total = options.epochs * options.steps
    print(
        f"{name}, {sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters, started from {origin}; {device}, "
        f"{str(dtype or torch.float32).replace('torch.', '')}; {options.epochs} epochs of {options.steps} steps of {options.batch}, "
        f"size {options.size}, rate {options.rate:.2g}, seed {options.seed}",
        flush=True,
    )

    def elapsed():
        return before + time.time() - started

    def progress():
        return max(step / total, elapsed() / 60 / options.minutes if options.minutes else 0.0)

    def record():
        return {
            "model": model.state_dict(), "average": average.model.state_dict(), "optimizer": optimizer.state_dict(),
            "count": average.count, "epoch": epoch, "step": step, "seconds": elapsed(), "best": best,
            "random": torch.get_rng_state(), "model_name": name, "pretrained": pretrained, "origin": origin,
            "names": bundle.names, "options": vars(options),
        }

    warm = min(500, max(10, total // 10))
    wrong = 0
    while epoch < options.epochs and (step == 0 or progress() < 1):
        model.train()
        sums, counted, begun = {}, 0, time.time()
        for _ in range(options.steps):
            images, targets = next(loader)
            share = min(1.0, progress())
            rate = options.rate * min(1.0, (step + 1) / warm) * max(0.01, 0.5 + 0.5 * math.cos(math.pi * share))
            for group in optimizer.param_groups:
                group["lr"] = rate
            images = [image.to(device) for image in images]
            targets = [{key: value.to(device) for key, value in one.items()} for one in targets]
            losses = model(images, targets)
            loss = sum(losses.values())
            optimizer.zero_grad(set_to_none=True)
            step += 1
            if not torch.isfinite(loss):
                wrong += 1
                if wrong > 20:
                    raise BundleError("The loss is no number any more. Try a smaller --rate, or --precision float32.")
                continue
            wrong = 0
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            scaler.step(optimizer)
            scaler.update()
            average.update(model)
            counted += 1
            for key, value in losses.items():
                key = key.replace("loss_", "")
                sums[key] = sums.get(key, 0.0) + float(value.detach())
            if share >= 1 and options.minutes:
                break
        epoch += 1
        means = {key: round(value / max(1, counted), 4) for key, value in sums.items()}
        line = {"epoch": epoch, "step": step, "loss": round(sum(means.values()), 4), **means, "rate": rate, "seconds": round(elapsed(), 1)}
        ended = epoch >= options.epochs or progress() >= 1
        if held is not None and (ended or epoch % options.evaluate_every == 0):
            line["val"] = evaluate(average.model, held, device, None if ended else SCORED)
        value = line.get("val", {}).get("segm", {}).get("AP")
        if held is None or value is not None and (best is None or value >= best["AP"]):
            best = {"AP": value, "epoch": epoch}
            save(best_file, {key: part for key, part in record().items() if key not in ("model", "optimizer")})
        save(checkpoint, record())
        with open(log, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        figures = "" if value is None else f"  val: mask AP {value:.3f}, box AP {line['val']['bbox']['AP']:.3f}"
        parts = " ".join(f"{key} {part:.3f}" for key, part in means.items())
        print(f"epoch {epoch}: loss {line['loss']:.3f} ({parts}), {time.time() - begun:.0f} s{figures}", flush=True)
    finish(options, bundle, train, held, name, origin, pretrained, best_file if os.path.isfile(best_file) else checkpoint, best, epoch, step)


def finish(options, bundle, train, held, name, origin, pretrained, weights, best, epoch, step):
    """ONNX, manifest and `training.json` of the chosen weights."""
    model = networks.build(name, len(bundle.names), options.size, pretrained)
    model.load_state_dict(torch.load(weights, map_location="cpu")["average"])
    model.eval()
    path = os.path.join(options.out, "model.onnx")
    networks.write_onnx(model, path)
    compared = networks.compare_onnx(model, path, (held or train).item(0)[0])
    if compared is not None:
        print(f"model.onnx compared with PyTorch: {compared}", flush=True)
    figure = "" if best is None or best["AP"] is None else f", mask AP {best['AP']:.3f} on val"
    project = bundle.about["project"]
    about = {
        "name": f"{project} Mask R-CNN"[:120],
        "version": options.version[:40],
        "source": f"Trained by train_torchvision.py on {len(train)} images of {project}: {name} from {origin}, "
        f"{epoch} epochs, {step} steps, seed {options.seed}{figure}",
    }
    networks.write_manifest(os.path.join(options.out, "manifest.json"), bundle, path, about)
    training = {
        "format": 1,
        "bundle": bundle.about,
        "options": {key: value for key, value in vars(options).items() if key not in ("out", "init", "weights")},
        "network": name,
        "best": best,
        "epochs": epoch,
        "steps": step,
        "torch": torch.__version__,
        "train_images": [image["file_name"] for image in train.images],
        "val_images": [image["file_name"] for image in held.images] if held is not None else [],
    }
    with open(os.path.join(options.out, "training.json"), "w", encoding="utf-8") as file:
        json.dump(training, file, indent=1, ensure_ascii=False)
        file.write("\n")
    if options.smoke:
        print("Everything works here. This model is of a few steps: it is no use beyond that.", flush=True)
    print(f"{path} ({os.path.getsize(path) / 1e6:.0f} MB)\nIn Maskloop: maskloop models return PROJECT_FOLDER {path}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except BundleError as error:
        stop(error)
    except KeyboardInterrupt:
        stop("Stopped. Go on from the last whole epoch with --resume.")
    except RuntimeError as error:
        if "out of memory" not in str(error):
            raise
        stop(f"Not enough memory: try a smaller --batch or --size. ({str(error).splitlines()[0]})")
