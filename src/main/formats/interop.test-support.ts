import { join } from 'node:path';
import { geometryToRle } from '../../shared/mask/raster.ts';
import type { Rle } from '../../shared/records.ts';
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
    };
  });
  return { ...sink, read };
}
