import { AppError } from '../errors.ts';
import type { Box, Ring, Rle } from '../records.ts';
import type { Bitmap } from './bitmap.ts';
import { bitmapBox, checkSize } from './bitmap.ts';
import { ringRuns } from './fill.ts';
import { combineRuns, runsArea, runsBox, runsFromFlips, runsOverlap } from './runs.ts';

/**
 * COCO's compressed run-length masks, equal to pycocotools (cocoapi `common/maskApi.c`) to the last
 * count: column-major runs beginning with zeros; counts from the fourth on as differences to the one two
 * before; each number in 5-bit groups, lowest first, as ASCII from `0` (48), bit 32 meaning "more".
 */

type Size = Rle['size'];

/** The runs of a row-major bitmap. Only the columns and rows within its own box are walked. */
function bitmapRuns(bitmap: Bitmap): Uint32Array {
  const { width, height } = bitmap;
  checkSize(width, height);
  return windowRuns(bitmap, bitmapBox(bitmap), 0, 0, width, height);
}

/** The runs, on an image of `width` × `height`, of a bitmap's `box`, the bitmap's origin lying at (left, top). */
function windowRuns(bitmap: Bitmap, box: Box, left: number, top: number, width: number, height: number): Uint32Array {
  const { data } = bitmap;
  const flips: number[] = [];
  /** Whether the run before goes on: an odd number of flips. */
  const inside = (): boolean => flips.length % 2 === 1;
  const [firstX, firstY, boxWidth, boxHeight] = box;
  for (let x = firstX; x < firstX + boxWidth; x++) {
    const column = (x + left) * height + top;
    let i = firstY * bitmap.width + x;
    // A run that ended at the foot of the image goes on only when this column begins at its head.
    if (inside() && (firstY + top > 0 || data[i] !== 1)) flips.push((x + left) * height);
    for (let y = firstY; y < firstY + boxHeight; y++, i += bitmap.width) {
      if ((data[i] === 1) !== inside()) flips.push(column + y);
    }
    if (inside() && firstY + boxHeight + top < height) flips.push(column + firstY + boxHeight);
  }
  if (inside()) flips.push((firstX + boxWidth + left) * height);
  return runsFromFlips(flips, width * height);
}

/**
 * A piece of a mask as the RLE of the whole image of `width` × `height`: the inverse of `decodeRleWithin`.
 * The piece's top left pixel lies at (x, y), whole numbers; what reaches out of the image is dropped. Cost
 * goes with the piece. Throws `invalid` for an impossible size.
 */
export function encodePatch(piece: Bitmap, x: number, y: number, width: number, height: number): Rle {
  checkSize(width, height);
  const [boxX, boxY, boxWidth, boxHeight] = bitmapBox(piece);
  const fromX = Math.max(boxX, -x);
  const fromY = Math.max(boxY, -y);
  const w = Math.min(boxX + boxWidth, width - x) - fromX;
  const h = Math.min(boxY + boxHeight, height - y) - fromY;
  if (w <= 0 || h <= 0) return emptyRle(width, height);
  return { size: [height, width], counts: countsToString(windowRuns(piece, [fromX, fromY, w, h], x, y, width, height)) };
}

/** A bitmap as RLE. Throws `invalid` for any byte but 0 and 1, or too few or too many of them. */
export function encodeRle(bitmap: Bitmap): Rle {
  let highest = 0;
  for (let i = 0; i < bitmap.data.length; i++) highest |= bitmap.data[i] ?? 0;
  if (bitmap.data.length !== bitmap.width * bitmap.height || highest > 1) {
    throw new AppError('invalid', `A ${bitmap.width}×${bitmap.height} bitmap has one byte, 0 or 1, for each pixel.`, {
      bytes: bitmap.data.length,
    });
  }
  return { size: [bitmap.height, bitmap.width], counts: countsToString(bitmapRuns(bitmap)) };
}

/** The row-major bitmap of a mask. Throws `invalid` as `rleToCounts`. */
export function decodeRle(rle: Rle): Bitmap {
  const [height, width] = rle.size;
  const data = new Uint8Array(height * width);
  paintRuns(rleToCounts(rle), height, width, 0, 0, { width, height, data });
  return { width, height, data };
}

/**
 * Only the pixels of a mask within a box of whole numbers inside the image: cost and memory go with the
 * box and the runs, not with the image. Throws `invalid` as `rleToCounts`.
 */
export function decodeRleWithin(rle: Rle, box: Box): Bitmap {
  const [height, width] = rle.size;
  const [x, y, boxWidth, boxHeight] = box;
  checkSize(boxWidth, boxHeight);
  const out: Bitmap = { width: boxWidth, height: boxHeight, data: new Uint8Array(boxWidth * boxHeight) };
  paintRuns(rleToCounts(rle), height, width, x, y, out);
  return out;
}

function paintRuns(counts: Uint32Array, height: number, width: number, left: number, top: number, out: Bitmap): void {
  const right = Math.min(width, left + out.width);
  const bottom = Math.min(height, top + out.height);
  let at = 0;
  for (let i = 0; i < counts.length; i++) {
    const end = at + (counts[i] ?? 0);
    if (i % 2 === 1) {
      const lastColumn = Math.min(right, Math.ceil(end / height));
      for (let x = Math.max(left, Math.floor(at / height)); x < lastColumn; x++) {
        const to = Math.min(bottom, end - x * height);
        for (let y = Math.max(top, at - x * height); y < to; y++) out.data[(y - top) * out.width + x - left] = 1;
      }
    }
    at = end;
  }
}

/** Run lengths as COCO's string (maskApi.c `rleToString`). */
export function countsToString(counts: ArrayLike<number>): string {
  const bytes: number[] = [];
  for (let i = 0; i < counts.length; i++) {
    let rest = counts[i] ?? 0;
    if (i > 2) rest -= counts[i - 2] ?? 0;
    let more = true;
    while (more) {
      let group = rest & 0x1f;
      rest >>= 5;
      more = group & 0x10 ? rest !== -1 : rest !== 0;
      if (more) group |= 0x20;
      bytes.push(group + 48);
    }
  }
  let text = '';
  // In pieces: a call takes only so many arguments.
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.slice(i, i + 8192));
  return text;
}

/**
 * Run lengths of a mask (maskApi.c `rleFrString`). Throws `invalid`, naming what is wrong: an impossible
 * size, a character that is none of the 64, a number cut off, a negative run, or a sum that is not height × width.
 */
export function rleToCounts(rle: Rle): Uint32Array {
  const [height, width] = rle.size;
  checkSize(width, height);
  const { counts: text } = rle;
  const out = new Uint32Array(text.length);
  let length = 0;
  let sum = 0;
  let at = 0;
  while (at < text.length) {
    let value = 0;
    let unit = 1;
    for (let more = true; more; unit *= 32) {
      const group = text.charCodeAt(at) - 48;
      if (at >= text.length) throw broken('ends in the middle of a number', at);
      if (!(group >= 0 && group < 64)) throw broken(`has ${JSON.stringify(text[at])} at character ${at}`, at);
      if (unit > 2 ** 30) throw broken(`has a number of more than 32 bits at character ${at}`, at);
      at++;
      value += (group & 0x1f) * unit;
      more = (group & 0x20) !== 0;
      if (!more && group & 0x10) value -= unit * 32;
    }
    if (length > 2) value += out[length - 2] ?? 0;
    if (value < 0) throw broken(`has a run of ${value} pixels, number ${length}`, at);
    sum += value;
    if (sum > height * width) break;
    out[length++] = value;
  }
  if (sum !== height * width) throw wrongSum(sum > height * width ? 'more than' : String(sum), rle.size);
  return out.slice(0, length);
}

/**
 * Uncompressed counts as runs, as they are. Throws `invalid` unless each is a whole number ≥ 0 and they sum up to height × width.
 */
export function checkedCounts(counts: ArrayLike<number>, size: Size): Uint32Array {
  const [height, width] = size;
  checkSize(width, height);
  const out = new Uint32Array(counts.length);
  let sum = 0;
  for (let i = 0; i < out.length; i++) {
    const count = counts[i] ?? -1;
    if (!Number.isInteger(count) || count < 0) {
      throw new AppError('invalid', `Run ${i} of an RLE is ${count}, not a whole number from 0.`, { run: i });
    }
    sum += count;
    out[i] = count;
  }
  if (sum !== height * width) throw wrongSum(String(sum), size);
  return out;
}

/** RLE from run lengths. Throws `invalid` as `checkedCounts`. */
export function rleFromCounts(counts: ArrayLike<number>, size: Size): Rle {
  return { size: [size[0], size[1]], counts: countsToString(checkedCounts(counts, size)) };
}

/** Number of pixels in the mask. */
export function rleArea(rle: Rle): number {
  return runsArea(rleToCounts(rle));
}

/** COCO's `bbox` of the mask: whole pixels, all 0 for an empty mask. */
export function rleBox(rle: Rle): Box {
  return runsBox(rleToCounts(rle), rle.size[0]);
}

/** A mask without a pixel. */
export function emptyRle(width: number, height: number): Rle {
  return rleFromCounts([width * height], [height, width]);
}

/**
 * IoU of every detection with every truth, row-major `detections × truths`; against a crowd it is the
 * share of the detection that lies inside (maskApi.c `rleIou`). `crowd[g]` belongs to `truths[g]`.
 * Throws `invalid` when the sizes differ.
 */
export function rleIou(detections: readonly Rle[], truths: readonly Rle[], crowd: readonly boolean[]): Float64Array {
  const out = new Float64Array(detections.length * truths.length);
  const measure = (rle: Rle) => {
    const counts = rleToCounts(rle);
    return { size: rle.size, counts, area: runsArea(counts), box: runsBox(counts, rle.size[0]) };
  };
  const measuredTruths = truths.map(measure);
  detections.forEach((rle, d) => {
    const detection = measure(rle);
    measuredTruths.forEach((truth, g) => {
      checkSameSize(detection.size, truth.size);
      if (!boxesMeet(detection.box, truth.box)) return;
      const overlap = runsOverlap(detection.counts, truth.counts);
      if (overlap === 0) return;
      out[d * truths.length + g] = overlap / (crowd[g] ? detection.area : detection.area + truth.area - overlap);
    });
  });
  return out;
}

/** IoU of two masks of one size, 0..1; 1 when both are empty. */
export function maskIou(a: Rle, b: Rle): number {
  checkSameSize(a.size, b.size);
  const countsA = rleToCounts(a);
  const countsB = rleToCounts(b);
  const overlap = runsOverlap(countsA, countsB);
  const union = runsArea(countsA) + runsArea(countsB) - overlap;
  return union === 0 ? 1 : overlap / union;
}

/** Union or intersection of one or more masks of one size. Throws `invalid` for none or different sizes. */
export function mergeRle(rles: readonly Rle[], operation: 'union' | 'intersection'): Rle {
  const [first, ...others] = rles;
  if (!first) throw new AppError('invalid', 'There is no mask to merge.');
  let counts = rleToCounts(first);
  for (const other of others) {
    checkSameSize(first.size, other.size);
    counts = combineRuns(counts, rleToCounts(other), operation);
  }
  return { size: first.size, counts: countsToString(counts) };
}

/** What is in `a` and not in `b`. Throws `invalid` for different sizes. */
export function subtractRle(a: Rle, b: Rle): Rle {
  checkSameSize(a.size, b.size);
  return { size: a.size, counts: countsToString(combineRuns(rleToCounts(a), rleToCounts(b), 'difference')) };
}

/**
 * What pycocotools makes of COCO's polygon `segmentation`: each ring filled by its rule, then the union
 * (`frPyObjects`, `merge`). A ring inside another adds nothing: COCO polygons have no holes.
 */
export function rleFromPolygons(rings: readonly Ring[], size: Size): Rle {
  const [height, width] = size;
  checkSize(width, height);
  let counts: Uint32Array = Uint32Array.of(width * height);
  for (const ring of rings) counts = combineRuns(counts, ringRuns(ring, width, height), 'union');
  return { size: [height, width], counts: countsToString(counts) };
}

/** The same as runs, for polygons as they are found in files: rings of fewer than three points, which have no pixel, are left out. */
export function polygonRuns(rings: readonly Ring[], width: number, height: number): Uint32Array {
  checkSize(width, height);
  let counts: Uint32Array | null = null;
  for (const ring of rings) {
    if (ring.length < 6) continue;
    const runs = ringRuns(ring, width, height);
    counts = counts ? combineRuns(counts, runs, 'union') : runs;
  }
  return counts ?? Uint32Array.of(width * height);
}

function boxesMeet(a: Box, b: Box): boolean {
  return a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3];
}

function checkSameSize(a: Size, b: Size): void {
  if (a[0] === b[0] && a[1] === b[1]) return;
  throw new AppError('invalid', `Masks of ${a[1]}×${a[0]} and ${b[1]}×${b[0]} pixels do not belong to one image.`);
}

function broken(what: string, character: number): AppError {
  return new AppError('invalid', `The counts of an RLE are broken: the text ${what}.`, { character });
}

function wrongSum(sum: string, [height, width]: Size): AppError {
  const total = height * width;
  const found = sum === 'more than' ? `more than ${total}` : sum;
  return new AppError('invalid', `The runs of an RLE cover ${found} pixels, expected ${width}×${height} = ${total}.`, { width, height });
}
