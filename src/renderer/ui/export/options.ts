import type { ImageState } from '../../../shared/records.ts';
import type { ExportKind } from './formats.ts';

/** What the user chose in the export dialog; what they did not touch follows the format. */
export interface ExportChoices {
  readonly states: readonly ImageState[] | null;
  readonly includeEmpty: boolean;
  readonly images: 'leave' | 'copy' | 'link' | null;
  readonly pixelSpace: 'oriented' | 'raw';
  readonly segmentation: 'imported' | 'polygons' | 'rle';
  readonly simplifyPx: number;
  readonly split: 'one' | 'each';
  readonly overwrite: boolean;
}

export const FIRST_CHOICES: ExportChoices = {
  states: null,
  includeEmpty: true,
  images: null,
  pixelSpace: 'oriented',
  segmentation: 'imported',
  simplifyPx: 0,
  split: 'one',
  overwrite: false,
};

/** Only images that are done teach a model, unless the user says otherwise: what is missing on the others would be background. */
export function statesOf(kind: ExportKind, { states }: ExportChoices): ImageState[] {
  return states === null ? (kind === 'mask-rcnn' ? ['done'] : []) : [...states];
}

export function imagesOf(kind: ExportKind, { images }: ExportChoices): 'leave' | 'copy' | 'link' {
  if (images !== null && !(kind === 'mask-rcnn' && images === 'leave')) return images;
  return kind === 'coco' ? 'leave' : 'copy';
}
