/** Corners of a box, in any space. */
export interface Corners {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

export interface Candidate extends Corners {
  readonly score: number;
  /** Number of its class. */
  readonly label: number;
}

export function boxIou(a: Corners, b: Corners): number {
  const width = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0);
  const height = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / ((a.x1 - a.x0) * (a.y1 - a.y0) + (b.x1 - b.x0) * (b.y1 - b.y0) - both);
}

/**
 * Greedy non-maximum suppression, each class for itself (torchvision `batched_nms`): best first, a box
 * goes where one of its class with an IoU above `iou` stays. At most `most` are answered, best first; of
 * equal scores the earlier one.
 */
export function suppressed<C extends Candidate>(candidates: readonly C[], iou: number, most: number): C[] {
  const kept: C[] = [];
  const byLabel = new Map<number, C[]>();
  for (const candidate of [...candidates].sort((a, b) => b.score - a.score)) {
    if (kept.length >= most) break;
    const same = byLabel.get(candidate.label) ?? [];
    if (same.some((other) => boxIou(other, candidate) > iou)) continue;
    same.push(candidate);
    byLabel.set(candidate.label, same);
    kept.push(candidate);
  }
  return kept;
}
