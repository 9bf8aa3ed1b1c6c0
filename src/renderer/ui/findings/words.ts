import type { Finding, FindingKind } from '../../../shared/formats.ts';

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
  return sentence(words);
}

/** The sentence of a finding without the name that stands above it. */
export function withoutName({ what, id, message }: Finding): string {
  const name = `${what} ${id}: `;
  return message.slice(0, name.length).toLowerCase() === name.toLowerCase() ? sentence(message.slice(name.length)) : message;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
