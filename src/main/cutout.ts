import type { CutoutBackground, CutoutLook } from '../shared/calls/cutouts.ts';
import type { Cut, Frame, Ground } from '../shared/cutout/compose.ts';
import { AppError } from '../shared/errors.ts';
import { unionBox } from '../shared/geometry/measure.ts';
import type { Bitmap } from '../shared/mask/bitmap.ts';
import { bitmapArea, emptyBitmap } from '../shared/mask/bitmap.ts';
import { rasterizePatch } from '../shared/mask/raster.ts';
import type { MaskPatch } from '../shared/mask/raster.ts';
import type { Box, Geometry, ImageDocument, Label } from '../shared/records.ts';
import { rgbOf } from '../shared/views/coverage.ts';
import { openSuggestions } from '../shared/views/scene.ts';
import type { RgbImage } from './inference/pixels.ts';
import { decodeFitted, readHeader } from './inference/pixels.ts';
import type { RenderThread } from './render-thread.ts';

/** Something to be cut out. */
export interface CutObject {
  /** Name of its class. */
  readonly label: string;
  /** Counts the objects of its class on its image, from 1. */
  readonly number: number;
  readonly geometry: Geometry;
  /** Of the annotation or the suggestion; null for what a model found just now. */
  readonly id: string | number | null;
  /** What a salient model says of every pixel of the image, 0..255, row-major; absent without one. */
  readonly soft?: Uint8Array;
}

/** One picture: its name without folder and ending, and what is in it. */
export interface CutPicture {
  readonly name: string;
  readonly objects: readonly CutObject[];
}

/** The objects of a document: annotations in paint order, then undecided suggestions, the surest first. */
export function cutObjects(document: ImageDocument, labels: readonly Label[], minScore: number | null): CutObject[] {
  const names = new Map(labels.map((label) => [label.id, label.name]));
  const annotations = [...document.annotations].sort((a, b) => a.z - b.z || (a.id < b.id ? -1 : 1));
  const suggestions = minScore === null ? [] : openSuggestions(document, minScore).reverse();
  const found = [
    ...annotations.map(({ id, labelId, geometry }) => ({ id, labelId, geometry })),
    ...suggestions.map(({ id, labelId, rle }) => ({ id, labelId, geometry: { kind: 'mask', rle } as const })),
  ];
  return numbered(found.map(({ id, labelId, geometry }) => ({ id, geometry, label: names.get(labelId) ?? `class ${labelId}` })));
}

/** Counts each class from 1. */
export function numbered(found: readonly Omit<CutObject, 'number'>[]): CutObject[] {
  const counts = new Map<string, number>();
  return found.map((object) => {
    const number = (counts.get(object.label) ?? 0) + 1;
    counts.set(object.label, number);
    return { ...object, number };
  });
}

/** How objects are shared out to pictures, and what these are called: `<image>-<class>-<n>`. */
export function cutPictures(objects: readonly CutObject[], stem: string, together: boolean): CutPicture[] {
  if (objects.length === 0) return [];
  if (!together) return objects.map((object) => ({ name: `${stem}-${fileName(object.label)}-${object.number}`, objects: [object] }));
  const labels = new Set(objects.map((object) => object.label));
  const [only] = labels;
  return [{ name: `${stem}-${labels.size === 1 && only !== undefined ? `${fileName(only)}-all` : 'objects'}`, objects }];
}

/** A class's name as a part of a file's name on every system. */
function fileName(label: string): string {
  return label.replace(/[\p{Cc}<>:"/\\|?*\s]+/gu, '_').replace(/^\.+|\.+$/g, '_');
}

/** The pixels that a picture is made from, and where they go. */
export interface CutPlan {
  /** Whole pixels of the image around the objects. */
  readonly window: Box;
  readonly mask: Bitmap;
  readonly frame: Frame;
  /** Never more than a small object bears. */
  readonly softPx: number;
}

/**
 * Plans one picture; null where its objects have no pixel. `size` is the image's; `ground` the size of a
 * background that is the frame (`fit: 'at'`), else null. Throws `invalid` for a mask of another size.
 */
export function planCut(
  geometries: readonly Geometry[],
  size: { readonly width: number; readonly height: number },
  look: CutoutLook,
  ground: { readonly width: number; readonly height: number } | null,
): CutPlan | null {
  const patches = geometries.flatMap((geometry) => rasterizePatch(geometry, size.width, size.height) ?? []);
  const box = patches.map(({ x, y, bitmap }): Box => [x, y, bitmap.width, bitmap.height]).reduce(unionBox, [0, 0, 0, 0]);
  if (box[2] === 0) return null;
  const softPx = bearable(look.softPx, patches);
  const reach = Math.ceil(softPx);
  // Two more, so that the known colours beyond the band are seen.
  const window = within(box, reach + 2, size);
  const mask = union(patches, window);
  const margin = Math.max(look.margin, reach);
  const origin = look.frame === 'full' ? ([0, 0] as const) : ([box[0] - margin, box[1] - margin] as const);
  if (ground && look.background.kind === 'image') {
    const corner = look.frame === 'full' ? ([0, 0] as const) : box;
    const { x, y } = look.background;
    return { window, mask, softPx, frame: { ...ground, x: x + window[0] - corner[0], y: y + window[1] - corner[1] } };
  }
  const [width, height] = look.frame === 'full' ? [size.width, size.height] : [box[2] + 2 * margin, box[3] + 2 * margin];
  return { window, mask, softPx, frame: { width, height, x: window[0] - origin[0], y: window[1] - origin[1] } };
}

/** A band as wide as a small object itself would leave nothing of it that is known: at most a sixteenth of its side. */
function bearable(softPx: number, patches: readonly MaskPatch[]): number {
  const pixels = patches.reduce((sum, { bitmap }) => sum + bitmapArea(bitmap), 0);
  return softPx === 0 ? 0 : Math.min(softPx, Math.max(1, Math.sqrt(pixels / patches.length) / 16));
}

function within(box: Box, margin: number, { width, height }: { readonly width: number; readonly height: number }): Box {
  const [left, top] = [Math.max(0, box[0] - margin), Math.max(0, box[1] - margin)];
  return [left, top, Math.min(width, box[0] + box[2] + margin) - left, Math.min(height, box[1] + box[3] + margin) - top];
}

function union(patches: readonly MaskPatch[], [left, top, width, height]: Box): Bitmap {
  const mask = emptyBitmap(width, height);
  for (const { x, y, bitmap } of patches) {
    for (let row = 0; row < bitmap.height; row++) {
      const at = (row + y - top) * width + x - left;
      for (let i = 0; i < bitmap.width; i++) if (bitmap.data[row * bitmap.width + i] === 1) mask.data[at + i] = 1;
    }
  }
  return mask;
}

/** Size of the frame that a background brings along, or null. @throws AppError as `readHeader`. */
export async function groundSize(background: CutoutBackground): Promise<{ width: number; height: number } | null> {
  if (background.kind !== 'image' || background.fit !== 'at') return null;
  const { width, height } = await readHeader(background.path);
  return { width, height };
}

/** Makes one picture of a decoded image in the thread; `alpha` as `CutObject.soft`. @throws AppError as `decodeFitted` and `RenderThread.draw`. */
export async function makeCut(
  thread: RenderThread,
  image: RgbImage,
  plan: CutPlan,
  look: CutoutLook,
  alpha: Uint8Array | null = null,
): Promise<Cut> {
  const [left, top, width, height] = plan.window;
  const rgb = new Uint8Array(width * height * 3);
  const soft = alpha && new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = ((y + top) * image.width + left) * 3;
    rgb.set(image.data.subarray(from, from + width * 3), y * width * 3);
    if (soft) soft.set(alpha.subarray(from / 3, from / 3 + width), y * width);
  }
  const ground = await groundOf(look.background, plan.frame);
  return thread.draw({ kind: 'cutout', rgb, mask: plan.mask, softPx: plan.softPx, soft, ground, frame: plan.frame });
}

async function groundOf(background: CutoutBackground, frame: Frame): Promise<Ground> {
  switch (background.kind) {
    case 'none':
      return background;
    case 'color':
      return { kind: 'color', color: rgbOf(background.color) };
    case 'linear':
      return { kind: 'linear', from: rgbOf(background.from), to: rgbOf(background.to), angle: background.angle };
    case 'image': {
      const fit = background.fit === 'contain' ? 'contain' : 'cover';
      return { kind: 'picture', rgba: await decodeFitted(background.path, frame.width, frame.height, fit) };
    }
  }
}

/** The background's file is the user's own choice: without it nothing can be made. @throws AppError `not-found` or as `readHeader`. */
export async function checkBackground(background: CutoutBackground): Promise<void> {
  if (background.kind !== 'image') return;
  try {
    await readHeader(background.path);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    throw new AppError(thrown.code, `The background cannot be used. ${thrown.message}`, { path: background.path }, thrown);
  }
}
