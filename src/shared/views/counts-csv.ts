import type { ImageRecord, Label } from '../records.ts';

interface Count {
  readonly imageId: number;
  readonly labelId: number;
  readonly annotations: number;
  readonly suggestions: number;
}

/**
 * Counts as CSV (RFC 4180, lines ended by CRLF): a line for each image and class that has any, for an image
 * without any one line with an empty class, and at the end a line for each class with an empty image: its total.
 */
export function countsCsv(
  labels: readonly Label[],
  images: readonly Pick<ImageRecord, 'id' | 'path' | 'state'>[],
  counts: readonly Count[],
): string {
  const byImage = new Map<number, Count[]>();
  for (const count of counts) {
    const found = byImage.get(count.imageId);
    if (found) found.push(count);
    else byImage.set(count.imageId, [count]);
  }
  const lines: (string | number)[][] = [['image', 'state', 'class', 'annotations', 'suggestions']];
  for (const { id, path, state } of images) {
    const found = new Map((byImage.get(id) ?? []).map((count) => [count.labelId, count]));
    if (found.size === 0) lines.push([path, state, '', 0, 0]);
    for (const label of labels) {
      const count = found.get(label.id);
      if (count) lines.push([path, state, label.name, count.annotations, count.suggestions]);
    }
  }
  for (const label of labels) {
    const own = counts.filter((count) => count.labelId === label.id);
    const sum = (of: 'annotations' | 'suggestions'): number => own.reduce((total, count) => total + count[of], 0);
    lines.push(['', 'total', label.name, sum('annotations'), sum('suggestions')]);
  }
  return lines.map((line) => `${line.map(quoted).join(',')}\r\n`).join('');
}

/** A field with a comma, a quote or a line break stands in quotes, its own quotes doubled. */
function quoted(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
