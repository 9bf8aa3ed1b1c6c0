import type { Box } from '../records.ts';
import type { Bitmap } from './bitmap.ts';

/** One connected piece of a bitmap. */
export interface Component {
  /** Its value in `Components.ids`, from 1. */
  readonly id: number;
  readonly area: number;
  readonly box: Box;
}

export interface Components {
  /** Row-major: 0 for background, else the id of the piece. */
  readonly ids: Int32Array;
  /** In order of their topmost, then leftmost pixel. */
  readonly list: readonly Component[];
}

/**
 * The connected pieces of the set pixels: over edges (4) or over edges and corners (8). Two passes over
 * the rows with union-find (Rosenfeld & Pfaltz 1966; Wu, Otoo & Suzuki 2009).
 */
export function components(bitmap: Bitmap, connectivity: 4 | 8 = 4): Components {
  const { width, height, data } = bitmap;
  const ids = new Int32Array(data.length);
  const parent: number[] = [0];
  const root = (id: number): number => {
    let at = id;
    while (parent[at] !== at) {
      const up = parent[parent[at] ?? 0] ?? 0;
      parent[at] = up;
      at = up;
    }
    return at;
  };
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!data[i]) continue;
      let id = 0;
      const join = (neighbour: number): void => {
        const other = ids[neighbour] ?? 0;
        if (!other) return;
        const found = root(other);
        if (!id) id = found;
        else if (found < id) {
          parent[id] = found;
          id = found;
        } else parent[found] = id;
      };
      if (x > 0) join(i - 1);
      if (y > 0) {
        join(i - width);
        if (connectivity === 8) {
          if (x > 0) join(i - width - 1);
          if (x < width - 1) join(i - width + 1);
        }
      }
      if (!id) {
        id = parent.length;
        parent.push(id);
      }
      ids[i] = id;
    }
  }
  return number(bitmap, ids, root);
}

/** Second pass: roots get numbers from 1 in reading order, and are measured. */
function number(bitmap: Bitmap, ids: Int32Array, root: (id: number) => number): Components {
  const { width, height } = bitmap;
  const numberOf = new Map<number, number>();
  const measured: { area: number; left: number; top: number; right: number; bottom: number }[] = [];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const id = ids[i] ?? 0;
      if (!id) continue;
      const found = root(id);
      let n = numberOf.get(found);
      if (n === undefined) {
        n = measured.length + 1;
        numberOf.set(found, n);
        measured.push({ area: 0, left: x, top: y, right: x, bottom: y });
      }
      ids[i] = n;
      const piece = measured[n - 1];
      if (!piece) continue;
      piece.area++;
      piece.left = Math.min(piece.left, x);
      piece.right = Math.max(piece.right, x);
      piece.bottom = y;
    }
  }
  const list = measured.map(({ area, left, top, right, bottom }, n): Component => {
    return { id: n + 1, area, box: [left, top, right - left + 1, bottom - top + 1] };
  });
  return { ids, list };
}

/** A copy without the pieces smaller than `least` pixels, and how many went. */
export function withoutSmallPieces(bitmap: Bitmap, least: number, connectivity: 4 | 8 = 4): { bitmap: Bitmap; removed: number } {
  const { ids, list } = components(bitmap, connectivity);
  const small = new Set(list.filter(({ area }) => area < least).map(({ id }) => id));
  const data = bitmap.data.slice();
  if (small.size > 0)
    ids.forEach((id, i) => {
      if (small.has(id)) data[i] = 0;
    });
  return { bitmap: { width: bitmap.width, height: bitmap.height, data }, removed: small.size };
}
