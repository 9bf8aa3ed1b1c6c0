import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { contourOfRle } from '../../shared/mask/contour.ts';
import { ringRuns } from '../../shared/mask/fill.ts';
import { geometryRuns, partsRuns } from '../../shared/mask/raster.ts';
import { countsToString } from '../../shared/mask/rle.ts';
import { runsArea, runsBox } from '../../shared/mask/runs.ts';
import type { Geometry, ImageRecord, PolygonPart, Ring } from '../../shared/records.ts';
import { joinRings, sameRuns, splitRing } from './bridge.ts';
import { cocoCategories } from './coco.ts';
import type { DatasetWriter, Finding } from './dataset.ts';
import { reasonToLeaveOut } from './image-order.ts';
import { keptReader } from './kept-records.ts';
import type { NumberedAnnotation } from './source.ts';
import { placeImage, stemOf } from './folder.ts';

/**
 * Writes YOLO's folder: `images/<split>/…`, `labels/<split>/…`, `data.yaml`. Classes are numbered from 0 in the project's
 * order. Numbers have as many digits as it takes to read the same coordinate again, not the usual six.
 */
export function writeYolo(kind: 'polygons' | 'boxes'): DatasetWriter['write'] {
  return async (source, folder, options, tell) => {
    const categories = cocoCategories(source.labels);
    const numbers = new Map(categories.map((label, i) => [label.id, i]));
    const kept = keptReader(source, kind === 'polygons' ? 'yolo-seg' : 'yolo-box', "YOLO's files");
    const splits = new Set<string>();
    const taken = new Map<string, string>();
    let done = 0;
    for (const image of source.images()) {
      options.signal?.throwIfAborted();
      const instances = source.document(image.id);
      const split = source.split(image.id) ?? 'train';
      const path = `images/${split}/${image.path}`;
      const labels = labelPath(path);
      const other = taken.get(labels.toLowerCase());
      const reason =
        reasonToLeaveOut(image, instances.length, options.includeEmpty !== false) ??
        (other === undefined ? null : sameName(image.path, other));
      if (reason !== null) {
        for (const { number } of instances) options.onInstance?.(number, 'left-out');
        tell({ kind: 'lost', what: 'image', id: image.path, ...reason });
        options.onImage?.(image.id, null);
      } else {
        taken.set(labels.toLowerCase(), image.path);
        kept.of('image', image.id);
        for (const { number } of instances) kept.of('annotation', number);
        splits.add(split);
        const lines = linesOf(image, instances, { kind, numbers, tell, ...(options.onInstance ? { onInstance: options.onInstance } : {}) });
        await mkdir(dirname(join(folder, labels)), { recursive: true });
        await writeFile(join(folder, labels), lines.map((line) => line + '\n').join(''), { flag: 'wx' });
        const put = await placeImage(source, image, options.images, join(folder, path));
        options.onImage?.(image.id, put ? path : image.path);
      }
      options.onProgress?.(++done, source.imageCount);
    }
    await writeFile(
      join(folder, 'data.yaml'),
      yamlOf(
        categories.map(({ name }) => name),
        splits,
      ),
      { flag: 'wx' },
    );
    kept.tell(tell);
    if (options.images === 'leave') {
      tell({
        kind: 'kept',
        what: 'file',
        id: 'data.yaml',
        reason: 'images-left',
        message: 'The images were left where they are; YOLO looks for them in images/, beside labels/, in the same folders.',
      });
    }
    if (!splits.has('val')) {
      tell({
        kind: 'kept',
        what: 'file',
        id: 'data.yaml',
        reason: 'no-validation-split',
        message:
          'No image is in val, and YOLO wants a folder for it: data.yaml names the folder of train. Make splits before you trust its figures.',
      });
    }
  };
}

/** As Ultralytics' `img2label_paths`: the last folder `images` is `labels`. */
function labelPath(image: string): string {
  const parts = stemOf(image).split('/');
  parts[parts.lastIndexOf('images', parts.length - 2)] = 'labels';
  return parts.join('/') + '.txt';
}

function sameName(path: string, other: string): Pick<Finding, 'reason' | 'message'> {
  const message = `${path} and ${other} have the same name but for the ending; YOLO finds labels by the name without it.`;
  return { reason: 'name-taken', message };
}

interface Writing {
  readonly kind: 'polygons' | 'boxes';
  readonly numbers: ReadonlyMap<number, number>;
  readonly tell: (finding: Finding) => void;
  readonly onInstance?: (number: number, how: 'left-out' | 'changed') => void;
}

function linesOf(image: ImageRecord, instances: readonly NumberedAnnotation[], writing: Writing): string[] {
  const lines: string[] = [];
  for (const { number, annotation } of instances) {
    const { geometry } = annotation;
    const say = (kind: Finding['kind'], reason: string, message: string): void =>
      writing.tell({ kind, what: 'annotation', id: String(number), reason, message: `${image.path}: annotation ${number}: ${message}` });
    const runs = geometryRuns(geometry, image.width, image.height);
    const category = writing.numbers.get(annotation.labelId);
    if (annotation.crowd || runsArea(runs) === 0 || category === undefined) {
      if (annotation.crowd) say('lost', 'crowd', 'YOLO has no crowds; as an instance it would teach the wrong thing.');
      else say('lost', 'no-pixel', 'it covers no pixel.');
      writing.onInstance?.(number, 'left-out');
      continue;
    }
    if (writing.kind === 'polygons') {
      if (geometry.kind === 'box') say('kept', 'box-as-polygon', 'its box is written as four corners.');
      const { ring, holes } = ringOf(geometry, runs, image);
      if (holes > 0)
        say(
          'kept',
          'hole-bridged',
          `YOLO has no holes; ${holes === 1 ? 'its hole is' : `its ${holes} holes are`} joined to the border by a line.`,
        );
      lines.push([category, ...ring.map((value, i) => fraction(value, i % 2 === 0 ? image.width : image.height))].join(' '));
      continue;
    }
    if (geometry.kind !== 'box') say('lost', 'mask-as-box', `only the box of its ${geometry.kind} is written.`);
    const [x, y, w, h] = runsBox(runs, image.height);
    const { width, height } = image;
    lines.push([category, fraction(x + w / 2, width), fraction(y + h / 2, height), fraction(w, width), fraction(h, height)].join(' '));
  }
  return lines;
}

/**
 * The instance as one ring with all its vertices inside the image. The user's own vertices where the ring covers the same
 * pixels, else the exact outline of the mask.
 */
export function ringOf(
  geometry: Geometry,
  runs: Uint32Array,
  { width, height }: Pick<ImageRecord, 'width' | 'height'>,
): { readonly ring: Ring; readonly holes: number } {
  const own = partsOf(geometry);
  if (own !== null && own.every((part) => [part.outer, ...part.holes].every((ring) => isInside(ring, width, height)))) {
    const ring = joinRings(own);
    const read = ring.map((value, i) => Number(fraction(value, i % 2 === 0 ? width : height)) * (i % 2 === 0 ? width : height));
    // As trainers fill it, by the even-odd rule, and as our reader takes it apart.
    const filled = [ringRuns(read, width, height), partsRuns(splitRing(read), width, height)];
    if (filled.every((covered) => sameRuns(covered, runs))) return { ring, holes: countHoles(own) };
  }
  const outline = contourOfRle({ size: [height, width], counts: countsToString(runs) });
  return { ring: joinRings(outline), holes: countHoles(outline) };
}

function partsOf(geometry: Geometry): readonly PolygonPart[] | null {
  if (geometry.kind === 'polygon') return geometry.parts;
  if (geometry.kind === 'mask') return null;
  const [x, y, w, h] = geometry.box;
  return [{ outer: [x, y, x + w, y, x + w, y + h, x, y + h], holes: [] }];
}

function countHoles(parts: readonly PolygonPart[]): number {
  return parts.reduce((sum, part) => sum + part.holes.length, 0);
}

/** Ultralytics leaves out an image with a number outside of 0..1. */
function isInside(ring: Ring, width: number, height: number): boolean {
  return ring.every((value, i) => value >= 0 && value <= (i % 2 === 0 ? width : height));
}

/** The number that times the side is the coordinate again, to the last digit where there is one. */
function fraction(value: number, side: number): string {
  const near = value / side;
  const step = Math.abs(near) * Number.EPSILON;
  for (const candidate of [near, near - step / 2, near + step / 2, near - step, near + step]) {
    if (candidate * side === value && candidate >= 0 && candidate <= 1) return String(candidate);
  }
  return String(Math.min(1, Math.max(0, near)));
}

function yamlOf(names: readonly string[], splits: ReadonlySet<string>): string {
  const train = splits.has('train') || splits.size === 0 ? 'train' : [...splits].sort()[0];
  const known: Record<string, string> = { train: `images/${train}`, val: `images/${splits.has('val') ? 'val' : train}` };
  for (const split of [...splits].sort()) if (split !== 'train' && split !== 'val') known[split] = `images/${split}`;
  return stringify({ path: '.', ...known, names: Object.fromEntries(names.map((name, i) => [i, name])) }, { lineWidth: 0 });
}
