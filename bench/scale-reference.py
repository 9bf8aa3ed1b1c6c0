"""What Python does with the same files: the standard library's json, and the indexes that tools make of it.

    python3 scale-reference.py STEP DATASET [RESULTS]

Prints one JSON object: milliseconds of the step and of its processor time, and the peak of the process's memory in MB. Nothing is
kept from one run to the next, so every step but the exports begins with the loading. Steps:
load        json.load and indexes by id, image and category
store       the same, then into a SQLite file with indexes by image and category, synced
export      json.dumps of what was loaded into a file (the C encoder: json.dump to a file is slower), synced
export-check  the same, then json.load of the file and comparing the two
statistics  instances and images by class, sizes, instances an image
evaluate    boxes at ten thresholds, all sizes, 100 detections an image, in plain Python; figures AP and AP50
"""

import json
import os
import resource
import sqlite3
import sys
import time
from collections import Counter, defaultdict


def load(path):
    with open(path) as file:
        data = json.load(file)
    images = {image["id"]: image for image in data["images"]}
    categories = {category["id"]: category for category in data["categories"]}
    annotations = {}
    of_image = defaultdict(list)
    images_of = defaultdict(list)
    for annotation in data["annotations"]:
        annotations[annotation["id"]] = annotation
        of_image[annotation["image_id"]].append(annotation)
        images_of[annotation["category_id"]].append(annotation["image_id"])
    return data, images, categories, annotations, of_image, images_of


def store(data, path):
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE image (id INTEGER PRIMARY KEY, file_name TEXT, width INTEGER, height INTEGER, record TEXT)")
    db.execute("CREATE TABLE category (id INTEGER PRIMARY KEY, name TEXT, record TEXT)")
    db.execute("CREATE TABLE annotation (id INTEGER PRIMARY KEY, image_id INTEGER, category_id INTEGER, record TEXT)")
    with db:
        db.executemany(
            "INSERT INTO image VALUES (?, ?, ?, ?, ?)",
            ((i["id"], i["file_name"], i["width"], i["height"], json.dumps(i)) for i in data["images"]),
        )
        db.executemany("INSERT INTO category VALUES (?, ?, ?)", ((c["id"], c["name"], json.dumps(c)) for c in data["categories"]))
        db.executemany(
            "INSERT INTO annotation VALUES (?, ?, ?, ?)",
            ((a["id"], a["image_id"], a["category_id"], json.dumps(a)) for a in data["annotations"]),
        )
        db.execute("CREATE INDEX annotation_image ON annotation (image_id)")
        db.execute("CREATE INDEX annotation_category ON annotation (category_id)")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def export(data, path):
    with open(path, "w") as file:
        file.write(json.dumps(data))
        file.flush()
        os.fsync(file.fileno())


def statistics(data, of_image):
    instances = Counter()
    images = defaultdict(set)
    sizes = Counter()
    for annotation in data["annotations"]:
        instances[annotation["category_id"]] += 1
        images[annotation["category_id"]].add(annotation["image_id"])
        area = annotation["area"]
        sizes["small" if area < 1024 else "medium" if area < 9216 else "large"] += 1
    counts = Counter(len(of_image.get(image["id"], ())) for image in data["images"])
    return instances, {key: len(value) for key, value in images.items()}, sizes, counts


def iou(a, b, crowd):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (a[2] * a[3] if crowd else a[2] * a[3] + b[2] * b[3] - shared)


def evaluate(data, results):
    truths = defaultdict(list)
    for annotation in data["annotations"]:
        truths[annotation["category_id"], annotation["image_id"]].append(annotation)
    found = defaultdict(list)
    for result in results:
        found[result["category_id"], result["image_id"]].append(result)
    thresholds = [0.5 + 0.05 * i for i in range(10)]
    scores = defaultdict(lambda: [[] for _ in thresholds])
    totals = Counter()
    for key in set(truths) | set(found):
        truth = sorted(truths.get(key, ()), key=lambda one: one["iscrowd"])
        detections = sorted(found.get(key, ()), key=lambda one: -one["score"])[:100]
        totals[key[0]] += sum(1 for one in truth if not one["iscrowd"])
        overlaps = [[iou(d["bbox"], t["bbox"], t["iscrowd"]) for t in truth] for d in detections]
        for k, threshold in enumerate(thresholds):
            taken = [False] * len(truth)
            for d, detection in enumerate(detections):
                best, match = min(threshold, 1 - 1e-10), -1
                for t, one in enumerate(truth):
                    if taken[t] and not one["iscrowd"]:
                        continue
                    if match >= 0 and not truth[match]["iscrowd"] and one["iscrowd"]:
                        break
                    if overlaps[d][t] >= best:
                        best, match = overlaps[d][t], t
                if match >= 0:
                    taken[match] = True
                    if truth[match]["iscrowd"]:
                        continue
                scores[key[0]][k].append((detection["score"], match >= 0))
    precisions = [[] for _ in thresholds]
    for category, total in totals.items():
        if total == 0:
            continue
        for k in range(len(thresholds)):
            rows = sorted(scores[category][k], key=lambda row: -row[0])
            curve, right = [], 0
            for n, (_, good) in enumerate(rows, 1):
                right += good
                curve.append((right / total, right / n))
            for i in range(len(curve) - 2, -1, -1):
                if curve[i][1] < curve[i + 1][1]:
                    curve[i] = (curve[i][0], curve[i + 1][1])
            at, summed = 0, 0.0
            for step in range(101):
                while at < len(curve) and curve[at][0] < step / 100:
                    at += 1
                summed += curve[at][1] if at < len(curve) else 0.0
            precisions[k].append(summed / 101)
    means = [sum(row) / len(row) for row in precisions]
    return sum(means) / len(means), means[0]


def main():
    step, path = sys.argv[1], sys.argv[2]
    started, cpu = time.perf_counter(), time.process_time()
    loaded = load(path)
    data, of_image = loaded[0], loaded[4]
    figures = {}
    if step == "evaluate":
        with open(sys.argv[3]) as file:
            results = json.load(file)
        average, at_half = evaluate(data, results)
        figures = {"AP": average, "AP50": at_half}
    elif step == "statistics":
        statistics(data, of_image)
    elif step == "store":
        store(data, path + ".db")
    elif step.startswith("export"):
        started, cpu = time.perf_counter(), time.process_time()
        export(data, path + ".python")
        if step == "export-check":
            with open(path + ".python") as file:
                if json.load(file) != data:
                    raise SystemExit("the file differs")
    ms = (time.perf_counter() - started) * 1000
    cpu_ms = (time.process_time() - cpu) * 1000
    if step.startswith("export"):
        os.remove(path + ".python")
    if step == "store":
        os.remove(path + ".db")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"ms": ms, "cpuMs": cpu_ms, "peakMb": peak, **figures}))


main()
