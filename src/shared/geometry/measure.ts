import { geometryRuns } from '../mask/raster.ts';
import { rleBox } from '../mask/rle.ts';
import { runsArea, runsBox } from '../mask/runs.ts';
import type { Box, Geometry, PolygonPart } from '../records.ts';
import { ringBox } from './polygon.ts';

/** The smallest box around both; a box without width and height counts as nothing. */
export function unionBox(a: Box, b: Box): Box {
  if (a[2] === 0 && a[3] === 0) return b;
  if (b[2] === 0 && b[3] === 0) return a;
  const x = Math.min(a[0], b[0]);
  const y = Math.min(a[1], b[1]);
  return [x, y, Math.max(a[0] + a[2], b[0] + b[2]) - x, Math.max(a[1] + a[3], b[1] + b[3]) - y];
}

/** Box of the outer rings' points. All 0 for no parts. */
function partsBox(parts: readonly PolygonPart[]): Box {
  return parts.map((part) => ringBox(part.outer)).reduce(unionBox, [0, 0, 0, 0]);
}

/** Box of the outline as drawn: of a polygon's points, a mask's pixels, the box itself. Image space. */
export function geometryBox(geometry: Geometry): Box {
  switch (geometry.kind) {
    case 'polygon':
      return partsBox(geometry.parts);
    case 'mask':
      return rleBox(geometry.rle);
    case 'box':
      return geometry.box;
  }
}

/** Number of pixels that the instance fills on an image of `width` × `height`: COCO's `area`. */
export function geometryArea(geometry: Geometry, width: number, height: number): number {
  return runsArea(geometryRuns(geometry, width, height));
}

/** COCO's `area` and `bbox` of the filled pixels, in one go. The box is all 0 when there is no pixel. */
export function measurePixels(geometry: Geometry, width: number, height: number): { area: number; box: Box } {
  const runs = geometryRuns(geometry, width, height);
  return { area: runsArea(runs), box: runsBox(runs, height) };
}

/** IoU of two boxes as areas, or with `crowd` the share of `a` inside `b` (maskApi.c `bbIou`). 0 for no area. */
export function boxIou(a: Box, b: Box, crowd = false): number {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const overlap = width * height;
  return overlap / (crowd ? a[2] * a[3] : a[2] * a[3] + b[2] * b[3] - overlap);
}
