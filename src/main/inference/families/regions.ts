import type { Bitmap } from '../../../shared/mask/bitmap.ts';
import { emptyBitmap } from '../../../shared/mask/bitmap.ts';
import { components } from '../../../shared/mask/components.ts';
import { encodePatch } from '../../../shared/mask/rle.ts';
import type { Box } from '../../../shared/records.ts';
import type { ClassMap } from './class-map.ts';
import type { DecodedInstance } from './family.ts';

/**
 * The regions of a class map in the order of their labels, then of their topmost pixels: 8-connected pieces, or
 * everything of a class as one. Those under `least` image pixels, and those whose score is under `keep`, are
 * left out. The score is the mean probability of the region's class over its pixels. `labels[k]` names
 * class k + 1; null is background.
 */
export function regions(
  map: ClassMap,
  labels: readonly (string | null)[],
  mode: 'components' | 'class',
  least: number,
  keep: number,
): DecodedInstance[] {
  const found: DecodedInstance[] = [];
  const boxes = classBoxes(map, labels.length);
  for (const [index, label] of labels.entries()) {
    const box = boxes[index];
    if (label === null || !box) continue;
    const number = index + 1;
    const whole = bitmapOf(map, number, box);
    if (mode === 'class') {
      const { area, sum } = total(map, whole, box);
      add(found, map, label, whole, box, area, sum, least, keep);
      continue;
    }
    const { ids, list } = components(whole, 8);
    const sums = new Float64Array(list.length + 1);
    eachPixel(map, box, (i, o) => {
      const id = ids[i] ?? 0;
      if (id > 0) sums[id] = (sums[id] ?? 0) + (map.probabilities[o] ?? 0);
    });
    for (const piece of list) {
      if (piece.area < least) continue;
      const alone = only(ids, box[2], piece.id, piece.box);
      const at: Box = [box[0] + piece.box[0], box[1] + piece.box[1], piece.box[2], piece.box[3]];
      add(found, map, label, alone, at, piece.area, sums[piece.id] ?? 0, least, keep);
    }
  }
  return found;
}

function add(
  found: DecodedInstance[],
  map: ClassMap,
  label: string,
  bitmap: Bitmap,
  box: Box,
  area: number,
  sum: number,
  least: number,
  keep: number,
): void {
  const score = Math.min(1, sum / area / 65535);
  if (area < least || !(score >= keep)) return;
  found.push({ label, score, box, rle: encodePatch(bitmap, box[0], box[1], map.width, map.height) });
}

/** The box of each class, in whole pixels; undefined where there is none. */
function classBoxes(map: ClassMap, count: number): (Box | undefined)[] {
  const left = new Int32Array(count + 1).fill(map.width);
  const right = new Int32Array(count + 1).fill(-1);
  const top = new Int32Array(count + 1).fill(-1);
  const bottom = new Int32Array(count + 1);
  for (let y = 0, i = 0; y < map.height; y++) {
    for (let x = 0; x < map.width; x++, i++) {
      const number = map.classes[i] ?? 0;
      if (number === 0) continue;
      if (x < (left[number] ?? 0)) left[number] = x;
      if (x > (right[number] ?? 0)) right[number] = x;
      if ((top[number] ?? 0) < 0) top[number] = y;
      bottom[number] = y;
    }
  }
  return Array.from({ length: count }, (_, k) => {
    const [x0, y0, x1, y1] = [left[k + 1] ?? 0, top[k + 1] ?? 0, right[k + 1] ?? -1, bottom[k + 1] ?? 0];
    return x1 < 0 ? undefined : [x0, y0, x1 - x0 + 1, y1 - y0 + 1];
  });
}

/** Visits a box of the map: index within the box, index within the map. */
function eachPixel(map: ClassMap, box: Box, visit: (i: number, o: number) => void): void {
  const [x0, y0, width, height] = box;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0, o = (y0 + y) * map.width + x0; x < width; x++, i++, o++) visit(i, o);
  }
}

function bitmapOf(map: ClassMap, number: number, box: Box): Bitmap {
  const bitmap = emptyBitmap(box[2], box[3]);
  eachPixel(map, box, (i, o) => {
    if (map.classes[o] === number) bitmap.data[i] = 1;
  });
  return bitmap;
}

function total(map: ClassMap, bitmap: Bitmap, box: Box): { readonly area: number; readonly sum: number } {
  let area = 0;
  let sum = 0;
  eachPixel(map, box, (i, o) => {
    if (!bitmap.data[i]) return;
    area++;
    sum += map.probabilities[o] ?? 0;
  });
  return { area, sum };
}

function only(ids: Int32Array, stride: number, id: number, box: Box): Bitmap {
  const bitmap = emptyBitmap(box[2], box[3]);
  for (let y = 0, i = 0; y < box[3]; y++) {
    for (let x = 0, o = (box[1] + y) * stride + box[0]; x < box[2]; x++, i++, o++) if (ids[o] === id) bitmap.data[i] = 1;
  }
  return bitmap;
}
