import { AppError } from '../../shared/errors.ts';
import type { Finding } from '../../shared/formats.ts';
import type { Breath } from './breath.ts';
import type { CocoSource } from './coco-source.ts';
import { annotationsInOrder, imagesInOrder } from './coco-source.ts';

/** A file of an export that holds one split. */
export interface SplitPart {
  readonly split: string | null;
  /** Relative to the export, with `/`. */
  readonly file: string;
  readonly source: CocoSource;
}

/** The order they are known by; other names come after them. */
const KNOWN = ['train', 'val', 'test'];
const FOLDER = 'annotations';
const NONE = 'unassigned';

/**
 * A source for each split that has images, and one for the images in none, which is told.
 * Throws `invalid` where no image is in a split.
 */
export async function splitParts(source: CocoSource, breath: Breath, tell: (finding: Finding) => void): Promise<SplitPart[]> {
  const splitOf = new Map<number, string | null>();
  const sizes = new Map<string | null, number>();
  for (const { id } of source.images()) {
    if (breath.due()) await breath.take();
    const split = source.split?.(id) ?? null;
    splitOf.set(id, split);
    sizes.set(split, (sizes.get(split) ?? 0) + 1);
  }
  const names = [...sizes.keys()].filter((name) => name !== null).sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
  if (names.length === 0)
    throw new AppError('invalid', 'No image is in a split yet. Make splits first, or export one file.', { key: 'split' });
  const files = new Set<string>();
  const part = (split: string | null): SplitPart => {
    const plain = (split ?? NONE).replace(/[^\p{L}\p{N}_.-]+/gu, '-').replace(/^\.+/, '') || 'split';
    let name = plain;
    for (let i = 2; files.has(name.toLowerCase()); i++) name = `${plain}-${i}`;
    files.add(name.toLowerCase());
    return { split, file: `${FOLDER}/${name}.json`, source: partOf(source, (id) => splitOf.get(id) === split, sizes.get(split) ?? 0) };
  };
  const parts = names.map(part);
  const without = sizes.get(null) ?? 0;
  if (without > 0) {
    const rest = part(null);
    tell({
      kind: 'kept',
      what: 'file',
      id: rest.file,
      reason: 'no-split',
      message: `${without} images are in no split; they are in ${rest.file}.`,
    });
    parts.push(rest);
  }
  return parts;
}

function place(name: string): number {
  const at = KNOWN.indexOf(name);
  return at < 0 ? KNOWN.length : at;
}

/** The same source with some of its images only. */
function partOf(source: CocoSource, has: (imageId: number) => boolean, imageCount: number): CocoSource {
  return {
    ...source,
    imageCount,
    *images() {
      for (const image of source.images()) if (has(image.id)) yield image;
    },
    *imageOrder() {
      for (const image of imagesInOrder(source)) if (has(image.id)) yield image;
    },
    *annotationOrder() {
      for (const item of annotationsInOrder(source)) if (has(item.imageId)) yield item;
    },
  };
}
