import { isSelfCrossing } from '../../shared/geometry/crossing.ts';
import { measurePixels } from '../../shared/geometry/measure.ts';
import { geometryRuns } from '../../shared/mask/raster.ts';
import { mergeRle, rleToCounts } from '../../shared/mask/rle.ts';
import { runsArea, runsBox } from '../../shared/mask/runs.ts';
import type { Box, Geometry, Rle } from '../../shared/records.ts';
import { mayCross } from './may-cross.ts';
import type { CocoShape } from './coco-geometry.ts';
import { geometryOfShape, isRing, opened } from './coco-geometry.ts';
import type { MeasuredShape, PixelMeasure } from './coco-measure.ts';
import { outlineArea, outlineBox, saidMeasure } from './coco-measure.ts';
import type { FindingKind } from '../../shared/formats.ts';

/** Something to say about one annotation. */
export interface Remark {
  readonly kind: Exclude<FindingKind, 'lost'>;
  readonly reason: string;
  readonly message: string;
}

/** What became of a shape: the geometry, whether the text says it by itself, or null where it is refused. */
export interface ReadShape {
  readonly geometry: Geometry | null;
  readonly inSource: boolean;
  readonly remarks: readonly Remark[];
  /** As `measureShape` on an image of the size the file says, where that and `inSource` are so; null where it was not looked at. */
  readonly measured: PixelMeasure | null;
}

/** Pixels, as the file says; 0 where it does not. */
export interface DeclaredSize {
  readonly width: number;
  readonly height: number;
}

/** How far outside of its image a shape may reach, in sizes of the image: what the store takes. */
const MARGIN = 1;
/** Pixels by which a shape may leave its image without a word: tools write 640 where the last pixel is 639. */
const EDGE = 1;
/** Numbers that tell of the mask may be so far from it: outlines and pixels measure differently. */
const AREA_SHARE = 0.02;
const AREA_PIXELS = 4;
const BOX_PIXELS = 2;

/**
 * The shape of an annotation: as it is where it can be used, repaired where what was meant is plain, refused otherwise.
 * Everything unusual is remarked on. `centred`: boxes of this file are x and y of the centre.
 */
export function readShape(record: MeasuredShape, size: DeclaredSize, centred: boolean): ReadShape {
  const remarks: Remark[] = [];
  const say = (kind: Remark['kind'], reason: string, message: string): void => void remarks.push({ kind, reason, message });
  const refused = (reason: string, message: string): ReadShape => {
    say('refused', reason, message);
    return { geometry: null, inSource: false, remarks, measured: null };
  };
  let geometry = geometryOfShape(record);
  let inSource = true;
  if (geometry === null || (geometry.kind === 'box' && centred)) {
    geometry = repaired(record, centred, say);
    inSource = false;
    if (geometry === null) {
      if (remarks.some((remark) => remark.kind === 'refused')) return { geometry, inSource, remarks, measured: null };
      return refused('no-shape', 'it has neither a segmentation nor a box that has an area.');
    }
  }
  if (geometry.kind === 'box' && inSource) say('kept', 'no-segmentation', 'it has no segmentation: its box is taken.');

  if (geometry.kind === 'mask') {
    const { rle } = geometry;
    let runs: Uint32Array;
    try {
      runs = rleToCounts(rle);
    } catch (thrown) {
      return refused('rle-broken', thrown instanceof Error ? thrown.message : String(thrown));
    }
    const area = runsArea(runs);
    if (area === 0) say('kept', 'mask-empty', 'its mask has no pixel.');
    // Whether the mask is of the image as it lies in its file is seen when the image is there.
    if (size.width > 0 && (rle.size[0] !== size.height || rle.size[1] !== size.width)) inSource = false;
    const box = area > 0 ? runsBox(runs, rle.size[0]) : null;
    compareNumbers(record, area, () => area, box, say);
    return { geometry, inSource, remarks, measured: inSource && size.width > 0 ? { area, box: box ?? [0, 0, 0, 0] } : null };
  }

  const box = geometry.kind === 'box' ? geometry.box : outlineBox(geometry);
  const far = outside(box, size);
  if (size.width > 0 && far > 0) {
    const text = `it reaches ${round(far)} px out of its ${size.width}×${size.height} image`;
    if (box[0] < -MARGIN * size.width || box[1] < -MARGIN * size.height) return refused('far-outside', `${text}.`);
    if (box[0] + box[2] > (1 + MARGIN) * size.width || box[1] + box[3] > (1 + MARGIN) * size.height) {
      return refused('far-outside', `${text}.`);
    }
    if (far > EDGE) say('kept', 'outside-image', `${text}.`);
  }
  if (geometry.kind === 'box') {
    if (!inSource) return { geometry, inSource, remarks, measured: null };
    compareNumbers(record, box[2] * box[3], () => box[2] * box[3], null, say);
    return { geometry, inSource, remarks, measured: isDrawn(size) ? measurePixels(geometry, size.width, size.height) : null };
  }
  const area = outlineArea(geometry);
  for (const { outer } of geometry.parts) {
    if (outer.length > 6 && mayCross(outer) && isSelfCrossing(outer))
      say('kept', 'ring-crosses-itself', `a ring of ${outer.length / 2} points crosses itself.`);
  }
  const shape = geometry;
  let filled: PixelMeasure | null = null;
  const drawn = (): PixelMeasure => (filled ??= measurePixels(shape, size.width, size.height));
  const exact = (): number => {
    if (isDrawn(size)) return drawn().area;
    const width = size.width > 0 ? size.width : Math.ceil(Math.max(1, box[0] + box[2]));
    const height = size.height > 0 ? size.height : Math.ceil(Math.max(1, box[1] + box[3]));
    return width * height > MOST_PIXELS ? area : runsArea(geometryRuns(shape, width, height));
  };
  compareNumbers(record, area, exact, box, say);
  const measured = inSource && isDrawn(size) ? (saidMeasure(record, area, box) ?? drawn()) : null;
  return { geometry, inSource, remarks, measured };
}

/** Larger images are not drawn while a dataset is read. */
const MOST_PIXELS = 2 ** 28;

function isDrawn({ width, height }: DeclaredSize): boolean {
  return width > 0 && height > 0 && width * height <= MOST_PIXELS;
}

type Say = (kind: Remark['kind'], reason: string, message: string) => void;

/** What a shape that is not as COCO wants it was meant to be, or null. */
function repaired({ segmentation, bbox }: CocoShape, centred: boolean, say: Say): Geometry | null {
  if (Array.isArray(segmentation) && segmentation.length > 0) {
    const list: unknown[] = segmentation;
    if (list.every(isRuns)) return mergedRuns(list, say);
    const rings = ringsOf(list, say);
    if (rings.length > 0) return { kind: 'polygon', parts: rings.map((outer) => ({ outer: opened(outer), holes: [] })) };
  } else if (isRuns(segmentation)) {
    say('refused', 'rle-broken', 'its runs do not fill its size, or are no runs.');
    return null;
  }
  const box = repairedBox(bbox, centred, say);
  if (box !== null && segmentation !== undefined && segmentation !== null && !(Array.isArray(segmentation) && segmentation.length === 0)) {
    say('repaired', 'segmentation-broken', 'its segmentation cannot be read: its box is taken.');
  } else if (box !== null) say('kept', 'no-segmentation', 'it has no segmentation: its box is taken.');
  return box;
}

function isRuns(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && 'counts' in value;
}

function mergedRuns(list: readonly object[], say: Say): Geometry | null {
  try {
    const masks = list.map((segmentation) => geometryOfShape({ segmentation })).flatMap((g): Rle[] => (g?.kind === 'mask' ? [g.rle] : []));
    if (masks.length < list.length) throw new Error('they are no runs');
    const rle = mergeRle(masks, 'union');
    say('repaired', 'rles-merged', `${list.length} masks in a list became one.`);
    return { kind: 'mask', rle };
  } catch (thrown) {
    say('refused', 'rle-broken', `${list.length} masks in a list: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return null;
  }
}

/** The rings of a list that can be used, each as flat numbers. */
function ringsOf(list: readonly unknown[], say: Say): number[][] {
  if (list.every((item) => typeof item === 'number' || item === null)) {
    say('repaired', 'ring-not-nested', 'its ring is no list of rings.');
    return ringOf(list, say);
  }
  const points = list.flatMap((item): (readonly [unknown, unknown])[] => pointOf(item));
  if (points.length === list.length && points.length >= 3) {
    say('repaired', 'points-not-flat', 'its ring is a list of points.');
    return ringOf(points.flat(), say);
  }
  return list.flatMap((item) => {
    if (!Array.isArray(item)) {
      say('repaired', 'ring-broken', 'one of its rings is no list: it is left out.');
      return [];
    }
    const inner: unknown[] = item;
    const nested = inner.flatMap((point): (readonly [unknown, unknown])[] => pointOf(point));
    if (nested.length === inner.length && nested.length >= 3) {
      say('repaired', 'points-not-flat', 'a ring is a list of points.');
      return ringOf(nested.flat(), say);
    }
    return ringOf(inner, say);
  });
}

function pointOf(item: unknown): (readonly [unknown, unknown])[] {
  if (Array.isArray(item) && item.length === 2) return [[item[0], item[1]]];
  if (typeof item !== 'object' || item === null || !('x' in item) || !('y' in item)) return [];
  return [[item.x, item.y]];
}

function ringOf(numbers: readonly unknown[], say: Say): number[][] {
  if (isRing(numbers)) return [[...numbers]];
  const even = numbers.length % 2 === 0 ? numbers : numbers.slice(0, -1);
  if (even !== numbers) say('repaired', 'ring-odd', `a ring of ${numbers.length} numbers: the last one is left out.`);
  const ring: number[] = [];
  let lost = 0;
  for (let i = 0; i < even.length; i += 2) {
    const [x, y] = [finite(even[i]), finite(even[i + 1])];
    if (x === null || y === null) lost++;
    else ring.push(x, y);
  }
  if (lost > 0) say('repaired', 'point-not-finite', `${lost} of ${even.length / 2} points of a ring are no numbers: they are left out.`);
  if (ring.length < 6) {
    say('repaired', 'ring-too-short', `a ring of ${ring.length / 2} points is left out.`);
    return [];
  }
  return [ring];
}

/** A number, also one written as text. */
function finite(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

function repairedBox(bbox: unknown, centred: boolean, say: Say): Geometry | null {
  const numbers = boxNumbers(bbox);
  if (numbers === null) return null;
  let [x, y, width, height] = numbers;
  if (width === 0 || height === 0) {
    say('refused', 'box-empty', `its box is ${width}×${height} px.`);
    return null;
  }
  if (!isPlainBox(bbox)) say('repaired', 'box-not-numbers', 'its box is written as text, or with more than four numbers.');
  if (centred) {
    say('repaired', 'box-is-centre', `its box begins with its centre (${x}, ${y}).`);
    x -= Math.abs(width) / 2;
    y -= Math.abs(height) / 2;
  } else if (width < 0 || height < 0) {
    say('repaired', 'box-negative', `its box is ${width}×${height} px: it is taken from its other corner.`);
    x += Math.min(0, width);
    y += Math.min(0, height);
  }
  width = Math.abs(width);
  height = Math.abs(height);
  return { kind: 'box', box: [x, y, width, height] };
}

function isPlainBox(bbox: unknown): boolean {
  return Array.isArray(bbox) && bbox.length === 4 && bbox.every((number) => typeof number === 'number');
}

function boxNumbers(bbox: unknown): [number, number, number, number] | null {
  if (!Array.isArray(bbox) || bbox.length < 4) return null;
  const [x, y, width, height] = bbox.slice(0, 4).map(finite);
  if (x == null || y == null || width == null || height == null) return null;
  return [x, y, width, height];
}

/** Whether a box without a segmentation leaves its image when it is read from its corner, and from its centre. */
export function boxFits(bbox: unknown, { width, height }: DeclaredSize): { readonly corner: boolean; readonly centre: boolean } | null {
  const box = boxNumbers(bbox);
  if (box === null || width === 0 || height === 0) return null;
  const [x, y, w, h] = box;
  const within = (left: number, top: number): boolean =>
    left >= -BOX_PIXELS && top >= -BOX_PIXELS && left + w <= width + BOX_PIXELS && top + h <= height + BOX_PIXELS;
  return { corner: within(x, y), centre: within(x - w / 2, y - h / 2) };
}

/** Remarks on an `area` and a `bbox` that do not belong to the mask; they are kept, and nothing is computed from them. */
function compareNumbers(
  record: { readonly area?: unknown; readonly bbox?: unknown },
  outlined: number,
  exact: () => number,
  box: Box | null,
  say: Say,
): void {
  const { area, bbox } = record;
  const near = (found: number): boolean => Math.abs(Number(area) - found) <= AREA_PIXELS + AREA_SHARE * found;
  if (typeof area !== 'number') say('kept', 'area-missing', 'it has no area.');
  else if (!near(outlined)) {
    const pixels = exact();
    if (!near(pixels)) say('kept', 'area-differs', `its area says ${round(area)}, its shape covers ${round(pixels)} px.`);
  }
  if (box === null) {
    if (bbox === undefined || bbox === null) say('kept', 'box-missing', 'it has no box.');
    return;
  }
  const told = boxNumbers(bbox);
  if (told === null) {
    say('kept', bbox === undefined || bbox === null ? 'box-missing' : 'box-broken', 'it has no box of four numbers.');
    return;
  }
  const apart = (x: number, y: number): number =>
    Math.max(Math.abs(x - box[0]), Math.abs(y - box[1]), Math.abs(told[2] - box[2]), Math.abs(told[3] - box[3]));
  const off = apart(told[0], told[1]);
  if (off <= BOX_PIXELS) return;
  if (apart(told[0] - told[2] / 2, told[1] - told[3] / 2) <= BOX_PIXELS) {
    say('kept', 'box-is-centre', `its box begins with its centre (${round(told[0])}, ${round(told[1])}); the shape counts.`);
  } else {
    say('kept', 'box-differs', `its box is ${told.map(round).join(', ')}, that of its shape ${box.map(round).join(', ')}.`);
  }
}

/** By how many pixels a box leaves its image. */
function outside([x, y, width, height]: Box, size: DeclaredSize): number {
  return Math.max(0, -x, -y, x + width - size.width, y + height - size.height);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
