import type { PixelSize } from '../shared/contract.ts';

/** `image/ID/full` or `image/ID/thumb`, as `pixelPath` of the contract makes it, without the query; null for anything else. */
export function parsePixelPath(path: string): { readonly imageId: number; readonly size: PixelSize } | null {
  const match = /^image\/([1-9]\d{0,14})\/(full|thumb)$/.exec(path);
  if (match === null) return null;
  return { imageId: Number(match[1]), size: match[2] === 'thumb' ? 'thumb' : 'full' };
}
