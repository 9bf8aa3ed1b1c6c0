"""Compares every mask that the bundle's scripts decode with the area and box that the export wrote: python3 compare_masks.py BUNDLE"""
import sys

sys.path.insert(0, sys.argv[1])

from bundle_data import Bundle  # noqa: E402
from bundle_score import bounds  # noqa: E402

count = 0
bundle = Bundle(sys.argv[1])
for split in bundle.splits():
    data = bundle.dataset(split)
    for k, image in enumerate(data.images):
        for mask, annotation in zip(data.item(k)[2], data.annotations[image["id"]]):
            y0, y1, x0, x1 = bounds(mask)
            found = (int(mask.sum()), [int(x0), int(y0), int(x1 - x0), int(y1 - y0)])
            if found != (annotation["area"], annotation["bbox"]):
                sys.exit(f"{image['file_name']}: annotation {annotation['id']} is {found} here, {annotation['area']}, {annotation['bbox']} in the file")
            count += 1
print(count)
