"""COCO segm AP in numpy, to watch a training by. The figure of record comes from the project's own evaluator."""
import numpy as np
import torch

THRESHOLDS = np.arange(0.5, 1.0, 0.05)


def overlaps(first, second):
    """IoU of bool masks [a,h,w] and [b,h,w] -> [a,b]."""
    a = first.reshape(len(first), -1).astype(np.float32)
    b = second.reshape(len(second), -1).astype(np.float32)
    both = a @ b.T
    return both / np.maximum(a.sum(1)[:, None] + b.sum(1)[None] - both, 1)


def average_precision(records, classes):
    """`records`: per image (scores, labels, true labels, IoU [predictions, truths]) -> AP, AP50, AP75, AP per class.

    COCO's rules: greedy matching per class in score order, at most 100 predictions an image, precision made
    monotone and read at 101 recalls, mean over ten thresholds and over the classes that occur.
    """
    table = np.full((classes, len(THRESHOLDS)), np.nan)
    for label in range(1, classes + 1):
        truths, scores, hits = 0, [], []
        for found, labels, true, iou in records:
            mine, theirs = np.flatnonzero(labels == label), np.flatnonzero(true == label)
            mine = mine[np.argsort(-found[mine], kind="stable")][:100]
            truths += len(theirs)
            part = iou[np.ix_(mine, theirs)]
            hit = np.zeros((len(THRESHOLDS), len(mine)), dtype=bool)
            for t, threshold in enumerate(THRESHOLDS):
                free = np.ones(len(theirs), dtype=bool)
                for k in range(len(mine)):
                    row = np.where(free, part[k], -1) if len(theirs) else np.array([-1.0])
                    best = int(row.argmax())
                    if row[best] >= min(threshold, 1 - 1e-10):
                        hit[t, k], free[best] = True, False
            scores.append(found[mine])
            hits.append(hit)
        if truths == 0:
            continue
        order = np.argsort(-np.concatenate(scores), kind="stable")
        for t, row in enumerate(np.concatenate(hits, 1)[:, order]):
            right = np.cumsum(row)
            recall = right / truths
            precision = right / np.arange(1, len(row) + 1)
            precision = np.maximum.accumulate(precision[::-1])[::-1]
            at = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
            table[label - 1, t] = np.concatenate((precision, [0.0]))[np.minimum(at, len(precision))].mean()
    return {
        "AP": float(np.nanmean(table)),
        "AP50": float(np.nanmean(table[:, 0])),
        "AP75": float(np.nanmean(table[:, 5])),
        "classes": [None if np.isnan(row).all() else round(float(row.mean()), 4) for row in table],
    }


@torch.no_grad()
def evaluate(model, data, size, count=None):
    """segm AP of a torchvision Mask R-CNN on the first `count` pictures, the graph scaling them to `size`."""
    model.eval()
    model.transform.min_size, model.transform.max_size = (size,), 2 * size
    records = []
    for index in range(len(data) if count is None else min(count, len(data))):
        rgb, labels, masks = data.item(index)
        image = torch.from_numpy(rgb.copy()).permute(2, 0, 1).float() / 255
        found = model([image])[0]
        predicted = (found["masks"][:, 0] >= 0.5).numpy()
        iou = overlaps(predicted, masks) if len(predicted) and len(masks) else np.zeros((len(predicted), len(masks)))
        records.append((found["scores"].numpy(), found["labels"].numpy(), labels, iou))
    return average_precision(records, len(data.names))
