import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { encode } from 'fast-png';
import { geometryRuns } from '../../shared/mask/raster.ts';
import { countsToString, decodeRleWithin } from '../../shared/mask/rle.ts';
import { runsBox } from '../../shared/mask/runs.ts';
import type { Annotation, Geometry, ImageRecord } from '../../shared/records.ts';
import { cocoCategories } from './coco.ts';
import type { DatasetSource, DatasetWriter } from './dataset.ts';
import { placeImage } from './folder.ts';
import { imagesToWrite } from './image-order.ts';
import type { KeptReader, KeptRecord, KeptValue } from './kept-records.ts';
import { isKeptRecord, keptReader } from './kept-records.ts';
import { pointsOf } from './labelme-shape.ts';

/** The version of LabelMe whose files ours are like: the first with masks and descriptions. */
const VERSION = '5.5.0';

/** What of a shape its geometry says. */
interface Shape {
  readonly shape_type: 'polygon' | 'rectangle' | 'mask';
  readonly points: readonly (readonly [number, number])[];
  /** Base64 of a PNG with 1 where the object is. */
  readonly mask: string | null;
}

/**
 * Writes LabelMe's files: one JSON beside each image, and `labels.txt`. Polygons keep their vertices, one shape a part, joined
 * by `group_id`; whatever has a hole, and masks, are LabelMe's own mask shapes; boxes are rectangles.
 */
export const writeLabelme: DatasetWriter['write'] = async (source, folder, options, tell) => {
  const names = new Map(source.labels.map(({ id, name }) => [id, name]));
  const kept = keptReader(source, 'labelme', "LabelMe's files");
  for (const { image, instances, stem } of imagesToWrite(source, options, tell)) {
    const file = join(folder, `${stem}.json`);
    await mkdir(dirname(file), { recursive: true });
    const put = await placeImage(source, image, options.images, join(folder, image.path));
    const groups = groupIds();
    const shapes: KeptRecord[] = [];
    for (const { number, annotation } of instances) {
      const parts = shapesOf(annotation.geometry, image);
      if (parts.length === 0) {
        const message = `${image.path}: annotation ${number}: it covers no pixel.`;
        tell({ kind: 'lost', what: 'annotation', id: String(number), reason: 'no-pixel', message });
        options.onInstance?.(number, 'left-out');
      }
      const label = names.get(annotation.labelId) ?? '';
      shapes.push(...recordsOf(annotation, label, parts, keptShapes(kept, number), groups));
    }
    const value = {
      version: VERSION,
      flags: {},
      ...kept.of('image', image.id),
      shapes,
      imagePath: put ? basename(image.path) : pathFrom(source, image, dirname(file)),
      imageData: null,
      imageHeight: image.height,
      imageWidth: image.width,
    };
    await writeFile(file, JSON.stringify(value, null, 2) + '\n', { flag: 'wx' });
    options.onImage?.(image.id, image.path);
  }
  const labels = cocoCategories(source.labels).map(({ name }) => name + '\n');
  await writeFile(join(folder, 'labels.txt'), labels.join(''), { flag: 'wx' });
  kept.tell(tell);
};

/** Where an image that stays in its place is, seen from the annotation file. */
function pathFrom(source: DatasetSource, image: ImageRecord, folder: string): string {
  return relative(folder, source.fileOf(image) ?? join(source.folder, image.path)).replaceAll('\\', '/');
}

function shapesOf(geometry: Geometry, image: ImageRecord): Shape[] {
  if (geometry.kind === 'box') {
    const [x, y, w, h] = geometry.box;
    const corners: [number, number][] = [
      [x, y],
      [x + w, y + h],
    ];
    return [{ shape_type: 'rectangle', points: corners, mask: null }];
  }
  if (geometry.kind === 'polygon' && geometry.parts.every((part) => part.holes.length === 0)) {
    return geometry.parts.map((part) => ({ shape_type: 'polygon', points: pointsOf(part.outer), mask: null }));
  }
  const runs = geometryRuns(geometry, image.width, image.height);
  const [x, y, w, h] = runsBox(runs, image.height);
  if (w === 0) return [];
  const { data } = decodeRleWithin({ size: [image.height, image.width], counts: countsToString(runs) }, [x, y, w, h]);
  const png = encode({ width: w, height: h, data, channels: 1, depth: 8 });
  const corners: [number, number][] = [
    [x, y],
    [x + w - 1, y + h - 1],
  ];
  return [{ shape_type: 'mask', points: corners, mask: Buffer.from(png).toString('base64') }];
}

function recordsOf(
  annotation: Annotation,
  label: string,
  shapes: readonly Shape[],
  kept: readonly KeptRecord[],
  groups: GroupIds,
): KeptRecord[] {
  const group = groups.of(label, kept[0]?.['group_id'] ?? null, shapes.length > 1);
  return shapes.map((shape, i) => {
    const rest = kept[i] ?? kept[0] ?? {};
    return { flags: {}, description: '', ...rest, ...marked(rest, annotation.crowd), ...shape, label, group_id: group };
  });
}

/** LabelMe has no crowds: a flag of this name says it to our own reader, and to whoever looks. */
function marked(rest: KeptRecord, crowd: boolean): KeptRecord {
  const flags = isKeptRecord(rest['flags']) ? rest['flags'] : {};
  if (!crowd && flags['iscrowd'] === undefined) return {};
  const others = Object.fromEntries(Object.entries(flags).filter(([key]) => key !== 'iscrowd'));
  return { flags: crowd ? { ...others, iscrowd: true } : others };
}

function keptShapes(kept: KeptReader, number: number): KeptRecord[] {
  const { shapes } = kept.of('annotation', number);
  return Array.isArray(shapes) ? (shapes as readonly KeptValue[]).filter(isKeptRecord) : [];
}

interface GroupIds {
  of(label: string, wanted: KeptValue, several: boolean): string | number | null;
}

/** Group ids of one image: the one it came with where no other instance of the class has it, else the next that is free. */
function groupIds(): GroupIds {
  const taken = new Set<string>();
  let next = 1;
  return {
    of(label, wanted, several) {
      const free = (id: string | number): boolean => !taken.has(JSON.stringify([label, id]));
      let id = typeof wanted === 'string' || typeof wanted === 'number' ? wanted : null;
      if (id === null && !several) return null;
      if (id === null || !free(id)) {
        while (!free(next)) next++;
        id = next++;
      }
      taken.add(JSON.stringify([label, id]));
      return id;
    },
  };
}
