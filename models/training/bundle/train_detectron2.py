#!/usr/bin/env python3
"""Trains the same dataset with Detectron2 (0.6 or later, which also needs pycocotools).

    python3 train_detectron2.py              all of it
    python3 train_detectron2.py --smoke      a few steps
    python3 train_detectron2.py --resume     goes on with the run in --out

Written after Detectron2's documentation and checked for its syntax; it was never run by Maskloop's makers. Classes, files
and ids come from the same place as those of train_torchvision.py: `categories.json`, through `bundle_data.py`.
"""
import argparse
import json
import math
import os

from bundle_data import HERE, Bundle, BundleError, stop


def records(bundle, split):
    """A split as Detectron2's standard dataset dicts; classes count from 0, crowds stay crowds."""
    from detectron2.structures import BoxMode

    data = bundle.dataset(split)
    found = []
    for image in data.images:
        annotations = [
            {
                "bbox": annotation["bbox"],
                "bbox_mode": BoxMode.XYWH_ABS,
                "category_id": bundle.index[annotation["category_id"]] - 1,
                "segmentation": annotation["segmentation"],
                "iscrowd": annotation.get("iscrowd", 0),
            }
            for annotation in data.annotations[image["id"]]
        ]
        found.append({
            "file_name": data.path(image),
            "image_id": image["id"],
            "height": image["height"],
            "width": image["width"],
            "annotations": annotations,
        })
    return found


def register(bundle):
    """Makes the splits known as bundle_train, bundle_val and bundle_test. -> their names by split"""
    from detectron2.data import DatasetCatalog, MetadataCatalog

    names = {}
    for split in bundle.splits():
        name = f"bundle_{split}"
        DatasetCatalog.register(name, lambda split=split: records(bundle, split))
        MetadataCatalog.get(name).set(
            thing_classes=bundle.names,
            thing_dataset_id_to_contiguous_id={key: index - 1 for key, index in bundle.index.items()},
            json_file=os.path.join(bundle.folder, "dataset", "annotations", f"{split}.json"),
            evaluator_type="coco",
        )
        names[split] = name
    return names


def configure(options, bundle, names, images):
    from detectron2 import model_zoo
    from detectron2.config import get_cfg

    base = "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml"
    cfg = get_cfg()
    cfg.merge_from_file(model_zoo.get_config_file(base))
    cfg.merge_from_file(os.path.join(HERE, "detectron2.yaml"))
    cfg.DATASETS.TRAIN = (names["train"],)
    cfg.DATASETS.TEST = (names["val"],) if "val" in names else ()
    cfg.MODEL.ROI_HEADS.NUM_CLASSES = len(bundle.names)
    cfg.MODEL.WEIGHTS = options.weights if options.weights is not None else model_zoo.get_checkpoint_url(base)
    cfg.MODEL.DEVICE = options.device or cfg.MODEL.DEVICE
    cfg.SEED = options.seed
    cfg.OUTPUT_DIR = options.out
    epoch = max(50, math.ceil(images / cfg.SOLVER.IMS_PER_BATCH))
    epochs = options.epochs or max(12, min(60, math.ceil(2000 / epoch)))
    cfg.SOLVER.MAX_ITER = 6 if options.smoke else epochs * epoch
    cfg.SOLVER.STEPS = tuple(round(cfg.SOLVER.MAX_ITER * share) for share in (0.7, 0.9))
    cfg.SOLVER.WARMUP_ITERS = min(cfg.SOLVER.WARMUP_ITERS, max(1, cfg.SOLVER.MAX_ITER // 10))
    cfg.SOLVER.CHECKPOINT_PERIOD = epoch
    cfg.TEST.EVAL_PERIOD = 0 if options.smoke else epoch * 4
    cfg.freeze()
    return cfg


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=os.path.join(HERE, "runs", "detectron2"))
    parser.add_argument("--weights", help="a file instead of the model zoo's COCO weights; '' for none")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--device", help="cuda or cpu")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    bundle = Bundle()
    if not bundle.oriented:
        raise BundleError("Detectron2 turns photographs by EXIF: export the bundle with pixels as shown (“oriented”).")
    train = bundle.dataset("train")
    if sum(train.count()) == 0:
        raise BundleError("The images of “train” have no instance: there is nothing to learn.")
    try:
        from detectron2.engine import DefaultTrainer
        from detectron2.evaluation import COCOEvaluator
        from detectron2.utils.logger import setup_logger
    except ImportError as error:
        raise BundleError(
            f"Detectron2 is not installed ({error}). See detectron2.readthedocs.io, or use train_torchvision.py."
        ) from None

    class Trainer(DefaultTrainer):
        @classmethod
        def build_evaluator(cls, cfg, dataset_name):
            return COCOEvaluator(dataset_name, output_dir=os.path.join(cfg.OUTPUT_DIR, "evaluation"))

    setup_logger()
    cfg = configure(options, bundle, register(bundle), len(train))
    os.makedirs(cfg.OUTPUT_DIR, exist_ok=True)
    with open(os.path.join(cfg.OUTPUT_DIR, "config.yaml"), "w", encoding="utf-8") as file:
        file.write(cfg.dump())
    # One name a line, in the order of the network: Maskloop asks for it when the ONNX file is added.
    with open(os.path.join(cfg.OUTPUT_DIR, "classes.txt"), "w", encoding="utf-8") as file:
        file.write("".join(f"{name}\n" for name in bundle.names))
    trainer = Trainer(cfg)
    trainer.resume_or_load(resume=options.resume)
    results = trainer.train()
    if results:
        print(json.dumps(results, indent=1))
    print(
        f"The model is {os.path.join(cfg.OUTPUT_DIR, 'model_final.pth')}. Detectron2's tools/deploy/export_model.py writes it as "
        "ONNX (--format onnx --export-method tracing); drop that file together with classes.txt on Maskloop's window."
    )


if __name__ == "__main__":
    try:
        main()
    except BundleError as error:
        stop(error)
