"""COCO's average precision in numpy, by masks and by boxes, to watch a training by.

The figure of record is Maskloop's own, when the model is back. This one follows the same rules (Lin et al., "Microsoft
COCO", 2014; pycocotools' COCOeval): detections matched greedily by score, crowds neither missed nor wrong, precision made
monotone and read at 101 recalls, mean over ten IoU thresholds and over the classes that occur.
"""
import numpy as np

THRESHOLDS = np.linspace(0.5, 0.95, 10)
MOST = 100


def mask_overlaps(found, truths, crowds):
    """IoU of bool masks [a,h,w] and [b,h,w] -> [a,b]; with a crowd the share of the detection that lies in it."""
    table = np.zeros((len(found), len(truths)))
    if len(found) == 0 or len(truths) == 0:
        return table
    boxes, theirs = [bounds(mask) for mask in found], [bounds(mask) for mask in truths]
    areas, sums = found.sum((1, 2)), truths.sum((1, 2))
    for i, one in enumerate(boxes):
        for j, two in enumerate(theirs):
            y0, y1, x0, x1 = max(one[0], two[0]), min(one[1], two[1]), max(one[2], two[2]), min(one[3], two[3])
            if y0 >= y1 or x0 >= x1:
                continue
            both = np.count_nonzero(found[i, y0:y1, x0:x1] & truths[j, y0:y1, x0:x1])
            table[i, j] = both / max(1, areas[i] if crowds[j] else areas[i] + sums[j] - both)
    return table


def box_overlaps(found, truths, crowds):
    """The same of boxes [n,4], x0 y0 x1 y1."""
    if len(found) == 0 or len(truths) == 0:
        return np.zeros((len(found), len(truths)))
    low = np.maximum(found[:, None, :2], truths[None, :, :2])
    high = np.minimum(found[:, None, 2:], truths[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(2)
    area, theirs = (found[:, 2:] - found[:, :2]).prod(1), (truths[:, 2:] - truths[:, :2]).prod(1)
    return both / np.maximum(np.where(crowds[None], area[:, None], area[:, None] + theirs[None] - both), 1e-9)


def bounds(mask):
    """y0, y1, x0, x1 of a mask, ends excluded; zeros where it is empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows) == 0:
        return 0, 0, 0, 0
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def match(overlap, crowds):
    """Detections by falling score -> (hit, passed over) [thresholds, detections] for one image and class."""
    hits = np.zeros((len(THRESHOLDS), len(overlap)), dtype=bool)
    passed = np.zeros_like(hits)
    for t, threshold in enumerate(THRESHOLDS):
        free = ~crowds
        for k, row in enumerate(overlap):
            # A truth of its own first; only where none is left, a crowd takes it.
            best = np.where(free, row, -1).argmax() if free.any() else None
            if best is not None and row[best] >= threshold - 1e-10:
                hits[t, k], free[best] = True, False
            elif crowds.any() and row[crowds].max() >= threshold - 1e-10:
                passed[t, k] = True
    return hits, passed


def average_precision(records, classes):
    """`records`: per image (scores, labels, true labels, crowds, IoU [detections, truths]); labels from 1 to `classes`.

    -> {"AP", "AP50", "AP75", "classes": AP of each or None}; None where there is no truth at all.
    """
    table = np.full((classes, len(THRESHOLDS)), np.nan)
    for label in range(1, classes + 1):
        truths, scores, hits, passed = 0, [], [], []
        for found, labels, true, crowds, overlap in records:
            mine, theirs = np.flatnonzero(labels == label), np.flatnonzero(true == label)
            mine = mine[np.argsort(-found[mine], kind="stable")][:MOST]
            truths += int((~crowds[theirs]).sum())
            hit, over = match(overlap[np.ix_(mine, theirs)], crowds[theirs])
            scores.append(found[mine])
            hits.append(hit)
            passed.append(over)
        if truths == 0:
            continue
        order = np.argsort(-np.concatenate(scores), kind="stable")
        hits, passed = np.concatenate(hits, 1)[:, order], np.concatenate(passed, 1)[:, order]
        for t in range(len(THRESHOLDS)):
            counted = hits[t][~passed[t]]
            right = np.cumsum(counted)
            recall, precision = right / truths, right / np.arange(1, len(counted) + 1)
            precision = np.maximum.accumulate(precision[::-1])[::-1]
            at = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
            table[label - 1, t] = np.concatenate((precision, [0.0]))[np.minimum(at, len(precision))].mean()
    seen = table[~np.isnan(table).any(1)]
    figure = (lambda values: round(float(values.mean()), 4)) if len(seen) else (lambda _: None)
    return {
        "AP": figure(seen),
        "AP50": figure(seen[:, :1]),
        "AP75": figure(seen[:, 5:6]),
        "classes": [None if np.isnan(row).any() else round(float(row.mean()), 4) for row in table],
    }
