"""COCO's run lengths, for the scripts that make the tests' small networks. Needs numpy."""
import numpy as np


def rle(mask):
    """bool mask [height, width] -> {size, counts}, compressed as pycocotools does."""
    flat = mask.T.reshape(-1).astype(np.uint8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [2]])))
    runs = np.diff(np.concatenate([[0], edges])).tolist()
    text = ""
    for i, run in enumerate(runs):
        rest = run - (runs[i - 2] if i > 2 else 0)
        more = True
        while more:
            group = rest & 0x1F
            rest >>= 5
            more = rest != -1 if group & 0x10 else rest != 0
            text += chr((group | (0x20 if more else 0)) + 48)
    return {"size": [int(mask.shape[0]), int(mask.shape[1])], "counts": text}
