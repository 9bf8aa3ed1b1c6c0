import type { FindingKind } from '../../../shared/formats.ts';

/** What became of a record, as the lists say it. */
export const KIND_NAMES: Readonly<Record<FindingKind, string>> = {
  refused: 'Left out',
  lost: 'Cannot be held',
  repaired: 'Repaired',
  kept: 'Unusual, kept',
};

/** The gravest first. */
export const KIND_ORDER: readonly FindingKind[] = ['refused', 'lost', 'repaired', 'kept'];

/** `ring-too-short` as people read it. */
export function reasonText(reason: string): string {
  const words = reason.replaceAll('-', ' ').replace(/\b(iou|id|rle|exif)\b/g, (word) => word.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}
