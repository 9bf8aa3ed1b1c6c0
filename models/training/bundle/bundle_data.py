"""The bundle's dataset: classes, COCO annotations as masks, photographs as Maskloop shows them. Needs numpy and Pillow."""
import json
import os
import sys

import numpy as np
from PIL import Image, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
# The photographs are the user's own: none of them is an attack.
Image.MAX_IMAGE_PIXELS = None


class BundleError(Exception):
    """Something is wrong with the bundle or with what was asked for; the text says what to do."""


def stop(text):
    """Ends the program with a sentence instead of a traceback."""
    sys.exit(f"\n{text}")


def read_json(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        raise BundleError(f"{path} is not there. Export the bundle from Maskloop again.") from None
    except ValueError as error:
        raise BundleError(f"{path} is not whole ({error}). Export the bundle from Maskloop again.") from None


class Bundle:
    """What `bundle.json` and `categories.json` say.

    `names[k]` is the class with the network's number k + 1 (0 is the background), `index[id]` the number of a category
    of the annotation files.
    """

    def __init__(self, folder=HERE):
        self.folder = folder
        self.about = read_json(os.path.join(folder, "bundle.json"))
        categories = read_json(os.path.join(folder, "categories.json"))["categories"]
        categories = sorted(categories, key=lambda category: category["index"])
        if [category["index"] for category in categories] != list(range(1, len(categories) + 1)):
            raise BundleError("categories.json: the indexes have to be 1, 2, 3 and so on.")
        if not categories:
            raise BundleError("categories.json has no class.")
        self.names = [category["name"] for category in categories]
        self.index = {category["id"]: category["index"] for category in categories}
        self.oriented = self.about["pixel_space"] == "oriented"

    def splits(self):
        return [name for name in ("train", "val", "test") if name in self.about["splits"]]

    def dataset(self, split):
        return Dataset(self, split)


class Dataset:
    """The images of one split; `item(k)` decodes one. Nothing but the annotations is held in memory."""

    def __init__(self, bundle, split):
        self.bundle, self.split = bundle, split
        path = os.path.join(bundle.folder, "dataset", "annotations", f"{split}.json")
        truth = read_json(path)
        self.root = os.path.join(bundle.folder, "dataset", "images")
        self.images = truth["images"]
        self.annotations = {image["id"]: [] for image in self.images}
        for annotation in truth["annotations"]:
            if annotation["category_id"] not in bundle.index:
                raise BundleError(f"{path}: annotation {annotation['id']} has class {annotation['category_id']}, which categories.json does not have.")
            if annotation["image_id"] not in self.annotations:
                raise BundleError(f"{path}: annotation {annotation['id']} is on image {annotation['image_id']}, which is not there.")
            self.annotations[annotation["image_id"]].append(annotation)
        missing = [image["file_name"] for image in self.images if not os.path.isfile(self.path(image))]
        if missing:
            shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
            raise BundleError(f"{len(missing)} of {len(self.images)} images of “{split}” are not in {self.root}: {shown}")

    def __len__(self):
        return len(self.images)

    def path(self, image):
        return os.path.join(self.root, *image["file_name"].split("/"))

    def count(self):
        """Instances of each class, crowds left out: list, in the order of `bundle.names`."""
        counts = [0] * len(self.bundle.names)
        for annotations in self.annotations.values():
            for annotation in annotations:
                if not annotation.get("iscrowd"):
                    counts[self.bundle.index[annotation["category_id"]] - 1] += 1
        return counts

    def limit(self, count):
        """Only the first `count` images; those with instances first."""
        self.images = sorted(self.images, key=lambda image: not self.annotations[image["id"]])[:count]

    def item(self, k):
        """-> (rgb uint8 [h,w,3], labels int64 [n] from 1 on, masks bool [n,h,w], crowds bool [n])"""
        image = self.images[k]
        height, width = image["height"], image["width"]
        rgb = load_picture(self.path(image), self.bundle.oriented)
        if rgb.shape[:2] != (height, width):
            raise BundleError(
                f"{image['file_name']} has {rgb.shape[1]}×{rgb.shape[0]} pixels, the annotations say {width}×{height}. "
                "Was it replaced? Export the bundle again."
            )
        found = self.annotations[image["id"]]
        labels = np.array([self.bundle.index[a["category_id"]] for a in found], dtype=np.int64)
        crowds = np.array([bool(a.get("iscrowd")) for a in found], dtype=bool)
        masks = np.zeros((len(found), height, width), dtype=bool)
        for row, annotation in zip(masks, found):
            row[:] = decode(annotation["segmentation"], height, width)
        return rgb, labels, masks, crowds


def load_picture(path, oriented=True):
    """A photograph as uint8 [h,w,3] RGB, as Maskloop decodes it: turned by EXIF where `oriented`, alpha dropped, 16 bits scaled to 8."""
    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file) if oriented else file
            if picture.mode.startswith("I;16"):
                picture = Image.fromarray((np.asarray(picture).astype(np.uint16) >> 8).astype(np.uint8))
            return np.asarray(picture.convert("RGB"))
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error}") from None


def decode(segmentation, height, width):
    """COCO's `segmentation` (compressed or uncompressed RLE, or polygons) -> bool mask [height, width]."""
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        return from_counts(from_string(counts) if isinstance(counts, str) else counts, height, width)
    mask = np.zeros((height, width), dtype=bool)
    for ring in segmentation:
        mask |= fill(ring, height, width)
    return mask


def from_counts(counts, height, width):
    """Run lengths, column by column, zeros first -> bool mask [height, width]."""
    values = np.arange(len(counts)) & 1
    return np.repeat(values, counts).reshape(width, height).T.astype(bool)


def from_string(text):
    """COCO's compressed RLE string -> run lengths (`rleFrString` of cocoapi's maskApi.c)."""
    counts, at = [], 0
    while at < len(text):
        value, shift, more = 0, 0, True
        while more:
            code = ord(text[at]) - 48
            value |= (code & 0x1F) << shift
            more = bool(code & 0x20)
            at += 1
            shift += 5
            if not more and code & 0x10:
                value |= -1 << shift
        if len(counts) > 2:
            value += counts[-2]
        counts.append(value)
    return counts


def fill(ring, height, width):
    """A polygon x0, y0, x1, y1 … -> bool mask [height, width], pixel by pixel as pycocotools fills it.

    The rule of `rleFrPoly` in cocoapi's maskApi.c: the outline is walked on a grid five times as fine; where it passes
    the centre of a column, everything below changes between outside and inside.
    """
    scale = 5.0
    xs = np.trunc(scale * np.asarray(ring[0::2], dtype=np.float64) + 0.5).astype(np.int64)
    ys = np.trunc(scale * np.asarray(ring[1::2], dtype=np.float64) + 0.5).astype(np.int64)
    us, vs = [], []
    for x0, y0, x1, y1 in zip(xs, ys, np.roll(xs, -1), np.roll(ys, -1)):
        dx, dy = abs(x1 - x0), abs(y0 - y1)
        back = (dx >= dy and x0 > x1) or (dx < dy and y0 > y1)
        if back:
            x0, y0, x1, y1 = x1, y1, x0, y0
        along = np.arange(max(dx, dy) + 1)
        if back:
            along = along[::-1]
        if dx >= dy:
            slope = (y1 - y0) / dx if dx > 0 else 0.0
            us.append(along + x0)
            vs.append(np.trunc(y0 + slope * along + 0.5).astype(np.int64))
        else:
            slope = (x1 - x0) / dy
            vs.append(along + y0)
            us.append(np.trunc(x0 + slope * along + 0.5).astype(np.int64))
    u, v = np.concatenate(us), np.concatenate(vs)
    moved = u[1:] != u[:-1]
    before, after = u[:-1][moved], u[1:][moved]
    column = (np.where(after < before, after, after - 1) + 0.5) / scale - 0.5
    row = np.ceil(np.clip((np.minimum(v[:-1], v[1:])[moved] + 0.5) / scale - 0.5, 0, height))
    inside = (column == np.floor(column)) & (column >= 0) & (column <= width - 1)
    changes = (column[inside] * height + row[inside]).astype(np.int64)
    flips = np.bincount(changes, minlength=height * width + 1)[: height * width]
    return (np.cumsum(flips) & 1).reshape(width, height).T.astype(bool)
