import { countsToString } from '../mask/rle.ts';
import { runsFromFlips } from '../mask/runs.ts';
import type { Box, Rle } from '../records.ts';
import { hexColour } from './colour.ts';
import type { LabelMap, Pause, Rgb, Window } from './raster.ts';

/** What a label map becomes: connected pieces, pieces large enough, masks. */

/** The connected pieces of equal labels, over edges; pixels of label 0 belong to none. */
export interface Pieces {
  /** By pixel: -1 for none, else the piece's index. */
  readonly of: Int32Array;
  /** By piece: its label and its pixels. */
  readonly labels: readonly number[];
  readonly areas: readonly number[];
}

/** Pieces in reading order of their first pixel. */
export function piecesOf(map: LabelMap): Pieces {
  const { width, data } = map;
  const of = new Int32Array(data.length).fill(-1);
  const labels: number[] = [];
  const areas: number[] = [];
  const stack: number[] = [];
  for (let start = 0; start < data.length; start++) {
    const label = data[start]!;
    if (label === 0 || of[start] !== -1) continue;
    const piece = labels.length;
    let area = 0;
    of[start] = piece;
    stack.push(start);
    for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
      area++;
      const x = i % width;
      if (x > 0 && of[i - 1] === -1 && data[i - 1] === label) {
        of[i - 1] = piece;
        stack.push(i - 1);
      }
      if (x + 1 < width && of[i + 1] === -1 && data[i + 1] === label) {
        of[i + 1] = piece;
        stack.push(i + 1);
      }
      if (i >= width && of[i - width] === -1 && data[i - width] === label) {
        of[i - width] = piece;
        stack.push(i - width);
      }
      if (i + width < data.length && of[i + width] === -1 && data[i + width] === label) {
        of[i + width] = piece;
        stack.push(i + width);
      }
    }
    labels.push(label);
    areas.push(area);
  }
  return { of, labels, areas };
}

/** Passes of `mergeSmall`; what is still small then has only small neighbours, and stays. */
const PASSES = 8;

/**
 * A copy in which no connected piece has fewer than `least` pixels: a smaller one takes the label of the
 * neighbour that `nearest` prefers, by default the one it has the longest border with. Smallest first.
 */
export function mergeSmall(
  map: LabelMap,
  least: number,
  pause: Pause = () => undefined,
  nearest: ((label: number, neighbour: number) => number) | null = null,
): LabelMap {
  let current: LabelMap = { ...map, data: map.data.slice() };
  for (let pass = 0; pass < PASSES; pass++) {
    pause();
    const pieces = piecesOf(current);
    const merged = mergeOnce(current, pieces, least, nearest);
    if (!merged) break;
    current = merged;
  }
  return current;
}

function mergeOnce(
  map: LabelMap,
  { of, labels, areas }: Pieces,
  least: number,
  nearest: ((label: number, neighbour: number) => number) | null,
): LabelMap | null {
  const borders = new Map<number, Map<number, number>>();
  const touch = (a: number, b: number): void => {
    if (a === b || a < 0 || b < 0 || areas[a]! >= least) return;
    let counts = borders.get(a);
    if (!counts) borders.set(a, (counts = new Map<number, number>()));
    counts.set(b, (counts.get(b) ?? 0) + 1);
  };
  const { width, data } = map;
  for (let i = 0; i < data.length; i++) {
    const piece = of[i]!;
    if (i % width > 0) {
      touch(piece, of[i - 1]!);
      touch(of[i - 1]!, piece);
    }
    if (i >= width) {
      touch(piece, of[i - width]!);
      touch(of[i - width]!, piece);
    }
  }
  if (borders.size === 0) return null;
  const target = labels.map((_, piece) => piece);
  const size = areas.slice();
  const root = (piece: number): number => {
    let at = piece;
    while (target[at] !== at) at = target[at]!;
    return at;
  };
  for (const [piece, counts] of [...borders].sort((a, b) => areas[a[0]]! - areas[b[0]]! || a[0] - b[0])) {
    // It may have grown by what was merged into it.
    if (size[piece]! >= least) continue;
    let best = -1;
    let bestScore = -Infinity;
    for (const [neighbour, border] of counts) {
      const other = root(neighbour);
      if (other === piece) continue;
      const score = nearest ? -nearest(labels[piece]!, labels[other]!) : border;
      if (score > bestScore) {
        bestScore = score;
        best = other;
      }
    }
    if (best < 0) continue;
    target[piece] = best;
    size[best] = size[best]! + size[piece]!;
  }
  const out = data.slice();
  for (let i = 0; i < out.length; i++) if (of[i]! >= 0) out[i] = labels[root(of[i]!)]!;
  return { ...map, data: out };
}

/**
 * The map with its labels numbered from 1 by area, the largest first, equal ones by their old number; those
 * beyond `most` become 0. `former` has the old label of each new one, its first entry unused.
 */
export function byArea(map: LabelMap, most: number): { readonly map: LabelMap; readonly former: readonly number[] } {
  const areas = new Uint32Array(highest(map) + 1);
  for (let i = 0; i < map.data.length; i++) areas[map.data[i]!] = areas[map.data[i]!]! + 1;
  const former = [...areas.keys()].filter((label) => label !== 0 && areas[label]! > 0);
  former.sort((a, b) => areas[b]! - areas[a]! || a - b);
  const renamed = new Uint16Array(areas.length);
  former.slice(0, most).forEach((label, i) => (renamed[label] = i + 1));
  const data = new Uint16Array(map.data.length);
  for (let i = 0; i < data.length; i++) data[i] = renamed[map.data[i]!]!;
  return { map: { ...map, data }, former: [0, ...former.slice(0, most)] };
}

/** A label's mask at the image's full size, and what is known of it. */
export interface Region {
  readonly label: number;
  readonly area: number;
  readonly box: Box;
  readonly rle: Rle;
}

/** Columns that are turned at once: 32 labels of two bytes are one line of a cache. */
const BLOCK = 32;

/**
 * The masks of all labels that have a pixel, in the order of their numbers. The map lies over `window` of an
 * image of `width` × `height`; where it is smaller than the window each pixel of the image takes that of the map
 * it lies in.
 */
export function regionsOf(map: LabelMap, window: Window, width: number, height: number, pause: Pause = () => undefined): Region[] {
  const flips: number[][] = [];
  const flip = (label: number, at: number): void => {
    const list = flips[label];
    // A run that goes on over the foot of a column is one run.
    if (!list) flips[label] = [at];
    else if (list.at(-1) === at) list.pop();
    else list.push(at);
  };
  const columns = firstsOf(map.width, window.width);
  const rows = firstsOf(map.height, window.height);
  const turned = new Uint32Array(BLOCK * map.height);
  const changes: number[] = [];
  for (let block = 0; block < map.width; block += BLOCK) {
    pause();
    const wide = Math.min(BLOCK, map.width - block);
    for (let y = 0; y < map.height; y++) {
      const row = y * map.width + block;
      for (let x = 0; x < wide; x++) turned[x * map.height + y] = map.data[row + x]!;
    }
    for (let x = 0; x < wide; x++) {
      // Where the label changes: the row in the window, then the label from there on.
      changes.length = 0;
      let before = 0;
      for (let y = 0, at = x * map.height; y < map.height; y++, at++) {
        const label = turned[at]!;
        if (label === before) continue;
        changes.push(rows[y]!, label);
        before = label;
      }
      for (let column = columns[block + x]!; column < columns[block + x + 1]!; column++) {
        const base = (window.x + column) * height + window.y;
        let current = 0;
        for (let i = 0; i < changes.length; i += 2) {
          const label = changes[i + 1]!;
          if (current !== 0) flip(current, base + changes[i]!);
          if (label !== 0) flip(label, base + changes[i]!);
          current = label;
        }
        if (current !== 0) flip(current, base + window.height);
      }
    }
  }
  const out: Region[] = [];
  flips.forEach((list, label) => {
    let area = 0;
    let left = Infinity;
    let top = Infinity;
    let right = -1;
    let bottom = -1;
    for (let i = 0; i < list.length; i += 2) {
      const from = list[i]!;
      const to = list[i + 1]! - 1;
      area += to - from + 1;
      const first = Math.floor(from / height);
      const last = Math.floor(to / height);
      left = Math.min(left, first);
      right = Math.max(right, last);
      top = Math.min(top, first < last ? 0 : from - first * height);
      bottom = Math.max(bottom, first < last ? height - 1 : to - last * height);
    }
    const counts = countsToString(runsFromFlips(list, width * height));
    out.push({ label, area, box: [left, top, right - left + 1, bottom - top + 1], rle: { size: [height, width], counts } });
  });
  return out;
}

/** For each of `small` cells the first of `large` pixels whose middle lies in it; at the end `large`. */
export function firstsOf(small: number, large: number): Int32Array {
  return Int32Array.from({ length: small + 1 }, (_, cell) => Math.max(0, Math.ceil((cell * large) / small - 0.5)));
}

/** Mean colour of each label as `#RRGGBB`; the map and the picture have one size. */
export function meanColours(map: LabelMap, image: Rgb): ReadonlyMap<number, string> {
  const sums = new Float64Array((highest(map) + 1) * 4);
  for (let i = 0; i < map.data.length; i++) {
    const at = map.data[i]! * 4;
    for (let c = 0; c < 3; c++) sums[at + c] = sums[at + c]! + image.data[i * 3 + c]!;
    sums[at + 3] = sums[at + 3]! + 1;
  }
  const out = new Map<number, string>();
  for (let at = 4; at < sums.length; at += 4) {
    const n = sums[at + 3]!;
    if (n > 0) out.set(at / 4, hexColour(sums[at]! / n, sums[at + 1]! / n, sums[at + 2]! / n));
  }
  return out;
}

function highest({ data }: LabelMap): number {
  let most = 0;
  for (let i = 0; i < data.length; i++) if (data[i]! > most) most = data[i]!;
  return most;
}
