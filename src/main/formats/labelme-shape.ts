import { z } from 'zod';
import type { Bitmap } from '../../shared/mask/bitmap.ts';
import { encodePatch } from '../../shared/mask/rle.ts';
import type { Geometry, PolygonPart, Ring } from '../../shared/records.ts';
import { opened } from './coco-geometry.ts';
import { readPngNumbers } from './png-numbers.ts';

/** What of a shape is understood; any other key is kept as it is. */
export const shapeSchema = z.looseObject({
  label: z.union([z.string(), z.number().transform(String)]),
  points: z.array(z.tuple([z.number(), z.number()]).rest(z.number())).default([]),
  shape_type: z.string().nullish(),
  group_id: z.union([z.number(), z.string()]).nullish(),
  mask: z.string().nullish(),
});
export type LabelmeShape = z.output<typeof shapeSchema>;

/** What a shape covers, and what had to be done to say so in our terms; or why it covers nothing. */
export type ReadShape =
  | { readonly geometry: Geometry; readonly repair: { readonly reason: string; readonly message: string } | null }
  | { readonly geometry: null; readonly reason: string; readonly message: string };

/** Greatest distance between a circle and the polygon that stands for it, in pixels. */
const CIRCLE_ERROR = 0.02;

/**
 * The geometry of one shape of LabelMe or X-AnyLabeling. `size` is the image's; a mask needs it.
 * A rectangle is given by two corners (LabelMe) or four (X-AnyLabeling), a circle by its centre and a point on it, a mask
 * by the corners of its box and a PNG.
 */
export function readShape(shape: LabelmeShape, size: { readonly width: number; readonly height: number } | null): ReadShape {
  const type = shape.shape_type ?? 'polygon';
  const { points } = shape;
  switch (type) {
    case 'polygon':
    case 'quadrilateral':
      return polygon(points);
    case 'rotation': {
      const read = polygon(points);
      if (read.geometry === null) return read;
      return { ...read, repair: { reason: 'rotated-box-as-polygon', message: 'a rotated box is taken as a polygon of its corners.' } };
    }
    case 'rectangle':
      return rectangle(points);
    case 'circle':
      return circle(points);
    case 'mask':
      return maskOf(shape, size);
    case 'point':
    case 'points':
    case 'line':
    case 'linestrip':
      return { geometry: null, reason: 'shape-without-area', message: `a ${type} covers no area; instances are areas here.` };
    default:
      return { geometry: null, reason: 'shape-unknown', message: `there is no meaning here for a shape of the type "${type}".` };
  }
}

/** The parts of a shape that is no mask: its rings, or its box as four corners. */
export function partsOfShape(geometry: Geometry): readonly PolygonPart[] | null {
  if (geometry.kind === 'polygon') return geometry.parts;
  if (geometry.kind === 'mask') return null;
  const [x, y, w, h] = geometry.box;
  return [{ outer: [x, y, x + w, y, x + w, y + h, x, y + h], holes: [] }];
}

type Points = LabelmeShape['points'];

function polygon(points: Points): ReadShape {
  const ring = opened(points.flatMap(([x, y]) => [x, y]));
  const different = new Set(points.map(([x, y]) => `${x} ${y}`)).size;
  if (different < 3) {
    return { geometry: null, reason: 'ring-too-short', message: `its ring has ${different} different points; a polygon needs three.` };
  }
  return { geometry: { kind: 'polygon', parts: [{ outer: ring, holes: [] }] }, repair: null };
}

function rectangle(points: Points): ReadShape {
  const different = new Set(points.map(([x, y]) => `${x} ${y}`)).size;
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  // Four corners that are not those of an upright box: it was turned.
  if (points.length === 4 && different === 4 && (new Set(xs).size > 2 || new Set(ys).size > 2)) return polygon(points);
  if (points.length !== 2 && points.length !== 4) {
    return { geometry: null, reason: 'wrong-points', message: `a rectangle of ${points.length} points; it has two corners, or four.` };
  }
  const x = Math.min(...xs);
  const y = Math.min(...ys);
  const w = Math.max(...xs) - x;
  const h = Math.max(...ys) - y;
  if (!(w > 0 && h > 0)) return { geometry: null, reason: 'box-without-area', message: `its box is ${w} by ${h}.` };
  return { geometry: { kind: 'box', box: [x, y, w, h] }, repair: null };
}

function circle(points: Points): ReadShape {
  const [centre, edge] = points;
  const radius = centre && edge ? Math.hypot(edge[0] - centre[0], edge[1] - centre[1]) : 0;
  if (!centre || points.length !== 2 || !(radius > 0 && radius < 1e6)) {
    return { geometry: null, reason: 'wrong-points', message: 'a circle is its centre and a point on it.' };
  }
  const corners = Math.max(12, Math.ceil(Math.PI / Math.acos(Math.max(0.5, 1 - CIRCLE_ERROR / radius))));
  const ring: number[] = [];
  for (let i = 0; i < corners; i++) {
    const angle = (2 * Math.PI * i) / corners;
    ring.push(centre[0] + radius * Math.cos(angle), centre[1] + radius * Math.sin(angle));
  }
  return {
    geometry: { kind: 'polygon', parts: [{ outer: ring, holes: [] }] },
    repair: { reason: 'circle-as-polygon', message: `a circle of ${Math.round(radius)} px is taken as a polygon of ${corners} points.` },
  };
}

function maskOf(shape: LabelmeShape, size: { readonly width: number; readonly height: number } | null): ReadShape {
  const corner = shape.points[0];
  if (size === null) return { geometry: null, reason: 'image-size-unknown', message: 'a mask needs the size of its image.' };
  if (corner === undefined || shape.mask === null || shape.mask === undefined || shape.mask === '') {
    return { geometry: null, reason: 'mask-missing', message: 'a mask without its corner or its PNG.' };
  }
  try {
    const png = readPngNumbers(Buffer.from(shape.mask, 'base64'), 'its mask');
    const bitmap: Bitmap = { width: png.width, height: png.height, data: Uint8Array.from(png.values, (value) => (value > 0 ? 1 : 0)) };
    // LabelMe cuts the corner's digits off, too.
    const rle = encodePatch(bitmap, Math.trunc(corner[0]), Math.trunc(corner[1]), size.width, size.height);
    return { geometry: { kind: 'mask', rle }, repair: null };
  } catch (cause) {
    return { geometry: null, reason: 'mask-damaged', message: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** Corners of a ring as LabelMe has them. */
export function pointsOf(ring: Ring): [number, number][] {
  const points: [number, number][] = [];
  for (let i = 0; i + 1 < ring.length; i += 2) points.push([ring[i] ?? 0, ring[i + 1] ?? 0]);
  return points;
}
