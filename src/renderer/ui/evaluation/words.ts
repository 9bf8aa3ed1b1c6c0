import type { EvaluationCase, EvaluationReport, Outcome } from '../../../shared/answers/evaluation.ts';
import type { CocoFigures } from '../../../shared/evaluate/figures.ts';
import { counted } from '../wording.ts';

export const OUTCOME_NAMES: Readonly<Record<Outcome, string>> = { tp: 'Right', fp: 'Wrong', fn: 'Missed' };

/** In pycocotools' order, with what each is the mean of. */
export const FIGURES: readonly (readonly [key: keyof CocoFigures, about: string])[] = [
  ['AP', 'precision, IoU 0.50 to 0.95'],
  ['AP50', 'precision, IoU 0.50'],
  ['AP75', 'precision, IoU 0.75'],
  ['APsmall', 'below 32² px'],
  ['APmedium', '32² to 96² px'],
  ['APlarge', 'above 96² px'],
  ['AR1', 'recall with 1 detection an image'],
  ['AR10', 'recall with 10'],
  ['AR100', 'recall with 100'],
  ['ARsmall', 'recall, below 32² px'],
  ['ARmedium', 'recall, 32² to 96² px'],
  ['ARlarge', 'recall, above 96² px'],
];

/** COCO's -1: there is nothing to measure. */
export function figure(value: number): string {
  return value < 0 ? '–' : value.toFixed(3);
}

export function share(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;
}

/** What a case is, in words; `there` and `found` are the names of its classes, '' for none. */
export function caseText(row: Pick<EvaluationCase, 'outcome' | 'iou'>, there: string, found: string, leastIou: number): string {
  if (row.outcome === 'tp') return found;
  if (row.outcome === 'fn') return found === '' ? there : `${there}, taken for ${found}`;
  if (there !== '') return `${found}, is ${there}`;
  // No truth is left for it, though one is there: another detection has it, or it is too far off.
  if (row.iou >= leastIou) return `${found}, found twice`;
  return row.iou > 0 ? `${found}, not close enough` : `${found}, nothing there`;
}

/** What the choice of images left out, in words. */
export function leftOut({ left, unmatched }: EvaluationReport): string[] {
  return [
    left.state > 0 ? `${counted(left.state, 'image')} not done` : '',
    left.split > 0 ? `${counted(left.split, 'image')} of other splits` : '',
    left.notPredicted > 0 ? `${counted(left.notPredicted, 'image')} that the model has not seen` : '',
    left.unreadable > 0 ? `${counted(left.unreadable, 'image')} that cannot be read` : '',
    unmatched.detections > 0
      ? `${counted(unmatched.detections, 'detection')} that fit no image or class (${unmatched.names.join(', ')})`
      : '',
  ].filter((text) => text !== '');
}
