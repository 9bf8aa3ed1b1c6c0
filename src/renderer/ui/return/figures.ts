import type { ModelScore } from '../../../shared/answers/bundles.ts';

/** A figure of COCO's as people read it; there is none where no truth counts. */
export function figure(value: number): string {
  return value < 0 ? '–' : value.toFixed(3);
}

/** What came of it, with its sign; empty where one of the two is none. */
export function change(before: number, after: number): string {
  if (before < 0 || after < 0) return '';
  const by = after - before;
  if (Math.abs(by) < 0.0005) return '±0.000';
  return `${by < 0 ? '−' : '+'}${Math.abs(by).toFixed(3)}`;
}

/** The figures that are shown of a model, in order. */
export const COLUMNS: readonly { readonly title: string; readonly about: string; readonly of: (score: ModelScore) => number }[] = [
  { title: 'Mask AP', about: 'Mean over IoU 0.50 … 0.95 of masks', of: ({ segm }) => segm.AP },
  { title: 'AP50', about: 'Masks at IoU 0.50', of: ({ segm }) => segm.AP50 },
  { title: 'AP75', about: 'Masks at IoU 0.75', of: ({ segm }) => segm.AP75 },
  { title: 'Box AP', about: 'Mean over IoU 0.50 … 0.95 of boxes', of: ({ bbox }) => bbox.AP },
];
