import type { CocoEvaluation } from '../shared/evaluate/coco.ts';
import type { CocoFigures } from '../shared/evaluate/figures.ts';

type FigureLine = readonly [key: keyof CocoFigures, mean: 'Precision' | 'Recall', iou: string, area: string, detections: number];

const FIGURE_LINES: readonly FigureLine[] = [
  ['AP', 'Precision', '0.50:0.95', 'all', 100],
  ['AP50', 'Precision', '0.50', 'all', 100],
  ['AP75', 'Precision', '0.75', 'all', 100],
  ['APsmall', 'Precision', '0.50:0.95', 'small', 100],
  ['APmedium', 'Precision', '0.50:0.95', 'medium', 100],
  ['APlarge', 'Precision', '0.50:0.95', 'large', 100],
  ['AR1', 'Recall', '0.50:0.95', 'all', 1],
  ['AR10', 'Recall', '0.50:0.95', 'all', 10],
  ['AR100', 'Recall', '0.50:0.95', 'all', 100],
  ['ARsmall', 'Recall', '0.50:0.95', 'small', 100],
  ['ARmedium', 'Recall', '0.50:0.95', 'medium', 100],
  ['ARlarge', 'Recall', '0.50:0.95', 'large', 100],
];

/** An evaluation as lines for a terminal: the twelve figures in pycocotools' order, then each class. -1 means no such truth. */
export function evaluationLines({ kind, images, truths, detections, figures, categories }: CocoEvaluation): string[] {
  const width = Math.max(5, ...categories.map((category) => category.name.length));
  return [
    `${kind}: ${truths} instances on ${images} images, ${detections} detections`,
    ...FIGURE_LINES.map(
      ([key, mean, iou, area, most]) =>
        ` ${key.padEnd(9)} ${figures[key].toFixed(3).padStart(6)}   Average ${mean.padEnd(9)} IoU=${iou.padEnd(9)} area=${area.padEnd(6)} maxDets=${most}`,
    ),
    ` ${'class'.padEnd(width)}     AP   AP50  instances`,
    ...categories.map(
      (category) =>
        ` ${category.name.padEnd(width)} ${category.AP.toFixed(3).padStart(6)} ${category.AP50.toFixed(3).padStart(6)} ${String(category.truths).padStart(10)}`,
    ),
  ];
}
