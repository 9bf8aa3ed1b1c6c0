import { basename, extname, join } from 'node:path';
import { geometryToRle } from '../../shared/mask/raster.ts';
import { maskIou } from '../../shared/mask/rle.ts';
import type { Geometry, Rle } from '../../shared/records.ts';
import { readHeader } from '../inference/pixels.ts';
import type { FormatId } from './dataset.ts';
import { collect } from './dataset.test-support.ts';
import { knownFormat } from './registry.ts';

/** An instance as its class and pixels. */
export interface ReadInstance {
  readonly image: string;
  readonly name: string;
  readonly crowd: boolean;
  readonly rle: Rle;
  readonly geometry: Geometry;
}

/** Everything that a place holds, in memory, with the sizes of the image files below `images`. */
export async function readPlace(
  format: FormatId,
  place: string,
  images: string,
): Promise<ReturnType<typeof collect> & { readonly read: readonly ReadInstance[] }> {
  const sink = collect();
  const sizeOf = (path: string): Promise<{ width: number; height: number } | null> => readHeader(join(images, path)).catch(() => null);
  await knownFormat(format).reader.read(place, sink, { images, sizeOf });
  const names = new Map(sink.categories.map(({ key, name }) => [key, name]));
  const byKey = new Map(sink.images.map((image) => [image.key, image]));
  const read = sink.instances.map(({ imageKey, categoryKey, crowd, geometry }): ReadInstance => {
    const image = byKey.get(imageKey);
    return {
      image: image?.path ?? '',
      name: names.get(categoryKey) ?? '',
      crowd,
      rle: geometryToRle(geometry, image?.width ?? 0, image?.height ?? 0),
      geometry,
    };
  });
  return { ...sink, read };
}

export interface Pair {
  readonly a: ReadInstance;
  readonly b: ReadInstance;
  readonly iou: number;
}

const stem = (path: string): string => basename(path, extname(path));

/** Instances of one photograph, class and crowd mark, the most alike first, each once; only pairs that share a pixel. */
export function pairs(as: readonly ReadInstance[], bs: readonly ReadInstance[]): Pair[] {
  const all: Pair[] = [];
  for (const a of as) {
    for (const b of bs) {
      if (stem(a.image) !== stem(b.image) || a.name !== b.name || a.crowd !== b.crowd) continue;
      const iou = maskIou(a.rle, b.rle);
      if (iou > 0) all.push({ a, b, iou });
    }
  }
  const taken = new Set<ReadInstance>();
  return all
    .sort((x, y) => y.iou - x.iou)
    .filter(({ a, b }) => {
      if (taken.has(a) || taken.has(b)) return false;
      taken.add(a);
      taken.add(b);
      return true;
    });
}

export function figures(found: readonly Pair[]): { count: number; least: number; median: number; mean: number } {
  const ious = found.map(({ iou }) => iou).sort((a, b) => a - b);
  const mean = ious.reduce((sum, iou) => sum + iou, 0) / ious.length;
  return { count: ious.length, least: ious[0] ?? 0, median: ious[ious.length >> 1] ?? 0, mean };
}
