"""Trains mask-rcnn-scenes, or from its weights mask-rcnn-nuts. Always ends in `--minutes`, whatever the machine.

    python3 train.py scenes --data DIR --held DIR --out DIR --minutes 46
    python3 train.py nuts --data DIR --out DIR --minutes 25 --init scenes.pt

Progress is max(step / steps, elapsed / minutes): warm-up, then cosine to zero over it, and picture size grows with
it. A checkpoint is written every few minutes; `--resume` goes on from it, its minutes counted in.
"""
import argparse
import contextlib
import copy
import json
import math
import os
import random
import time

import numpy as np
import torch

import data as pictures
import model as networks
import nuts
import score
from bundled import CLASS_LAYERS


def quick(model):
    """Runs the convolutions and linear layers under bfloat16 autocast (2.5 times faster where the CPU has it); RoIAlign, NMS and losses stay float32."""
    def wrapped(forward):
        def run(*arguments):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return widen(forward(*arguments))
        return run

    heads = model.roi_heads
    for part in (model.backbone, model.rpn.head, heads.box_head, heads.box_predictor, heads.mask_head, heads.mask_predictor):
        part.forward = wrapped(part.forward)


def widen(value):
    if isinstance(value, torch.Tensor):
        return value.float()
    if isinstance(value, dict):
        return type(value)((key, widen(item)) for key, item in value.items())
    return type(value)(widen(item) for item in value)


class Average:
    """Exponential moving average of weights and of batch-norm statistics."""

    def __init__(self, model, decay):
        self.model, self.decay, self.count = copy.deepcopy(model), decay, 0
        self.model.eval()

    @torch.no_grad()
    def update(self, model):
        self.count += 1
        decay = min(self.decay, (1 + self.count) / (10 + self.count))
        mine, theirs = self.model.state_dict(), model.state_dict()
        for key, value in mine.items():
            if value.dtype.is_floating_point:
                value.mul_(decay).add_(theirs[key], alpha=1 - decay)
            else:
                value.copy_(theirs[key])


class Batches(torch.utils.data.Dataset):
    """Step -> batch. Drawn in a worker process while the last step computes."""

    def __init__(self, make, size):
        self.make, self.size = make, size

    def __len__(self):
        return 10**9

    def __getitem__(self, step):
        return self.make(step, self.size.value)


def schedule(progress, full):
    return round(full * (0.7 if progress < 0.35 else 0.85 if progress < 0.65 else 1.0))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("scenes", "nuts"))
    parser.add_argument("--data", required=True)
    parser.add_argument("--held")
    parser.add_argument("--out", required=True)
    parser.add_argument("--minutes", type=float, default=55)
    parser.add_argument("--steps", type=int, default=10**9)
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.997)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--init")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--no-bf16", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    random.seed(options.seed)
    os.makedirs(options.out, exist_ok=True)

    if options.what == "scenes":
        train = pictures.Coco(options.data, os.path.join(options.data, "images"))
        held = pictures.Coco(options.held, os.path.join(options.held, "images"))

        def make(step, size):
            rng = np.random.default_rng(options.seed * 1_000_003 + step)
            return pictures.scenes_batch(train, rng.integers(0, len(train), options.batch), size, options.seed * 7919 + step)
    else:
        train, held = nuts.split(options.data)
        collection = nuts.Collection(train)

        def make(step, size):
            return collection.batch(options.batch, size, options.seed * 7919 + step)

    model = networks.build(len(train.names), options.size)
    if options.init:
        weights = torch.load(options.init, map_location="cpu")["average"]
        weights = {k: v for k, v in weights.items() if not k.startswith(CLASS_LAYERS)}
        print("started from", options.init, model.load_state_dict(weights, strict=False).missing_keys, flush=True)
    average = Average(model, options.decay)
    fat = [p for p in model.parameters() if p.ndim > 1]
    thin = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW([{"params": fat, "weight_decay": 0.02}, {"params": thin, "weight_decay": 0.0}], lr=options.rate)
    checkpoint, step, before = os.path.join(options.out, "checkpoint.pt"), 0, 0.0
    if options.resume and os.path.exists(checkpoint):
        state = torch.load(checkpoint, map_location="cpu")
        model.load_state_dict(state["model"])
        average.model.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        average.count, step, before = state["count"], state["step"], state["elapsed"]
        print("resumed at step", step, "minute", round(before / 60, 1), flush=True)
    if not options.no_bf16:
        quick(model)
    model.train()
    print(f"{networks.parameters(model)} parameters, {len(train)} training and {len(held)} held-out pictures", flush=True)

    def save(elapsed):
        state = {
            "model": model.state_dict(), "average": average.model.state_dict(), "optimizer": optimizer.state_dict(),
            "count": average.count, "step": step, "elapsed": elapsed, "names": train.names, "options": vars(options),
        }
        torch.save(state, checkpoint + ".new")
        os.replace(checkpoint + ".new", checkpoint)

    size = torch.multiprocessing.Value("i", options.size)
    start = time.time()
    progress = max(step / options.steps, before / 60 / options.minutes)
    size.value = schedule(progress, options.size)
    sampler = range(step, 10**9)
    loader = iter(torch.utils.data.DataLoader(Batches(make, size), batch_size=None, sampler=sampler, num_workers=1, prefetch_factor=3))
    sums, counted, told, saved, scored = {}, 0, start, start, start
    while progress < 1:
        elapsed = before + time.time() - start
        progress = max(step / options.steps, elapsed / 60 / options.minutes)
        size.value = schedule(progress, options.size)
        rate = options.rate * min(1, (step + 1) / 150) * max(0.01, 0.5 + 0.5 * math.cos(math.pi * min(1, progress)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        images, targets = next(loader)
        # The pictures have their size already; torchvision's transform must leave it.
        model.transform.min_size, model.transform.max_size = (min(images[0].shape[1:]),), 4096
        losses = model(images, targets)
        loss = sum(losses.values())
        optimizer.zero_grad(set_to_none=True)
        if not torch.isfinite(loss):
            print(f"step {step}: loss is {loss.item()}, skipped", flush=True)
            step += 1
            continue
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        average.update(model)
        step += 1
        counted += 1
        for key, value in losses.items():
            sums[key.replace("loss_", "")] = sums.get(key.replace("loss_", ""), 0.0) + float(value)
        if step % 25 == 0:
            now = time.time()
            means = " ".join(f"{key} {value / counted:.3f}" for key, value in sums.items())
            print(f"{step} {elapsed / 60:.1f} min size {size.value} rate {rate:.2e} {(now - told) / counted:.2f} s/step {means}", flush=True)
            sums, counted, told = {}, 0, now
        if time.time() - saved > 180:
            save(before + time.time() - start)
            saved = time.time()
        if time.time() - scored > 720:
            with contextlib.suppress(ValueError):
                print("held-out, first 24:", json.dumps(score.evaluate(average.model, held, options.size, 24)), flush=True)
            scored = told = time.time()
    save(before + time.time() - start)
    print("steps", step, "minutes", round((before + time.time() - start) / 60, 1), flush=True)
    print("held-out:", json.dumps(score.evaluate(average.model, held, options.size)), flush=True)


if __name__ == "__main__":
    main()
