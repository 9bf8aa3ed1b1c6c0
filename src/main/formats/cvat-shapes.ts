import type { Bitmap } from '../../shared/mask/bitmap.ts';
import { rasterizePatch } from '../../shared/mask/raster.ts';
import { encodePatch } from '../../shared/mask/rle.ts';
import type { Box, Geometry, Ring } from '../../shared/records.ts';
import type { Size } from './orientation.ts';
import type { XmlElement } from './xml-elements.ts';
import { numberOf, span } from './xml-elements.ts';

/**
 * The shapes of CVAT XML 1.1 (https://docs.cvat.ai/docs/dataset_management/formats/xml_format/). Coordinates are pixels of
 * the image as CVAT shows it, from 0. Angles are degrees, clockwise, about the shape's centre.
 */

/** Elements that are areas; the others (`polyline`, `points`, `cuboid`, `skeleton`, `tag`) are none. */
export const AREA_SHAPES: ReadonlySet<string> = new Set(['box', 'polygon', 'mask', 'ellipse']);
/** The attributes that say where a shape is. */
export const PLACE_ATTRIBUTES: ReadonlySet<string> = new Set(
  'xtl ytl xbr ybr points rle left top width height cx cy rx ry rotation'.split(' '),
);

export type CvatShape =
  | { readonly geometry: Geometry; readonly repaired: { readonly reason: string; readonly message: string } | null }
  | { readonly geometry: null; readonly reason: string; readonly message: string };

/** What the attributes of an area say. `size` is the image's, null where the file does not say it. */
export function readShape(name: string, attributes: Readonly<Record<string, string>>, size: Size | null): CvatShape {
  const number = (key: string): number | null => numberOf(attributes[key]);
  switch (name) {
    case 'box':
      return readBox(number);
    case 'polygon':
      return readPolygon(attributes['points'] ?? '');
    case 'ellipse':
      return readEllipse(number);
    default:
      return readMask(attributes['rle'] ?? '', number, size);
  }
}

type Numbers = (key: string) => number | null;

function readBox(number: Numbers): CvatShape {
  const [xtl, ytl, xbr, ybr] = [number('xtl'), number('ytl'), number('xbr'), number('ybr')];
  if (xtl === null || ytl === null || xbr === null || ybr === null) return refused('box-unclear', 'A box without four numbers as corners.');
  const [left, right] = xtl <= xbr ? [xtl, xbr] : [xbr, xtl];
  const [top, bottom] = ytl <= ybr ? [ytl, ybr] : [ybr, ytl];
  if (left === right || top === bottom) return refused('box-empty', `A box of ${right - left} × ${bottom - top} has no area.`);
  const repaired =
    left === xtl && top === ytl
      ? null
      : { reason: 'box-reversed', message: `A box goes from (${xtl}, ${ytl}) to (${xbr}, ${ybr}); its corners were exchanged.` };
  const rotation = number('rotation') ?? 0;
  if (rotation % 360 === 0) return { geometry: { kind: 'box', box: [left, top, span(left, right), span(top, bottom)] }, repaired };
  const [cx, cy, rx, ry] = [(left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2];
  const corners = [-rx, -ry, rx, -ry, rx, ry, -rx, ry];
  return { geometry: polygon(turned(corners, cx, cy, rotation)), repaired };
}

function readPolygon(text: string): CvatShape {
  const ring = readPoints(text);
  if (ring === null) return refused('points-unclear', `"${text.slice(0, 40)}" is no list of x,y pairs.`);
  const last = ring.length - 2;
  const closed = last >= 6 && ring[0] === ring[last] && ring[1] === ring[last + 1];
  const open = closed ? ring.slice(0, last) : ring;
  if (open.length < 6) return refused('ring-too-short', `A polygon of ${open.length / 2} points has no area.`);
  return { geometry: polygon(open), repaired: null };
}

/** `x,y;x,y`; null where it is anything else. */
export function readPoints(text: string): number[] | null {
  // Nothing that `Number` understands beyond decimal numbers.
  if (!/^[-+.0-9eE,;\s]*$/.test(text)) return null;
  const out: number[] = [];
  for (const pair of text.trim().split(';')) {
    const comma = pair.indexOf(',');
    const [x, y] = [pair.slice(0, comma), pair.slice(comma + 1)];
    if (comma < 0 || x.trim() === '' || y.trim() === '') return null;
    out.push(Number(x), Number(y));
  }
  return out.every(Number.isFinite) ? out : null;
}

/** An ellipse as a polygon that is nowhere more than a twentieth of a pixel off. */
function readEllipse(number: Numbers): CvatShape {
  const [cx, cy, rx, ry] = [number('cx'), number('cy'), number('rx'), number('ry')];
  if (cx === null || cy === null || rx === null || ry === null || !(rx > 0) || !(ry > 0)) {
    return refused('ellipse-unclear', 'An ellipse without a centre and two radii above 0.');
  }
  const points = Math.min(720, Math.max(16, Math.ceil(Math.PI / Math.acos(Math.max(0, 1 - 0.05 / Math.max(rx, ry))))));
  const ring: number[] = [];
  for (let i = 0; i < points; i++) {
    const angle = (2 * Math.PI * i) / points;
    ring.push(rx * Math.cos(angle), ry * Math.sin(angle));
  }
  return { geometry: polygon(turned(ring, cx, cy, number('rotation') ?? 0)), repaired: null };
}

/** Runs of a window of the image, row by row, beginning with those outside; separated by commas. */
function readMask(text: string, number: Numbers, size: Size | null): CvatShape {
  const [left, top, width, height] = [number('left'), number('top'), number('width'), number('height')];
  const whole = [left, top, width, height].every((value) => value !== null && Number.isInteger(value));
  if (!whole || left === null || top === null || width === null || height === null || width < 1 || height < 1) {
    return refused('mask-unclear', 'A mask whose left, top, width and height are no whole numbers.');
  }
  if (size === null) return refused('size-missing', 'A mask on an image of which the file does not say the size.');
  const outside = left < 0 || top < 0 || left + width > size.width || top + height > size.height;
  if (width > 2 * size.width || height > 2 * size.height) {
    return refused('mask-unclear', `A mask of ${width} × ${height} on an image of ${size.width} × ${size.height}.`);
  }
  const bitmap: Bitmap = { width, height, data: new Uint8Array(width * height) };
  let at = 0;
  let value = 0;
  for (const piece of text.split(',')) {
    const run = numberOf(piece);
    if (run === null || !Number.isInteger(run) || run < 0 || at + run > bitmap.data.length) {
      return refused('runs-unclear', `The runs of a mask of ${width} × ${height} have "${piece.trim().slice(0, 20)}" after ${at} pixels.`);
    }
    if (value === 1) bitmap.data.fill(1, at, at + run);
    at += run;
    value = 1 - value;
  }
  if (at !== bitmap.data.length) return refused('runs-unclear', `The runs of a mask cover ${at} of ${bitmap.data.length} pixels.`);
  const rle = encodePatch(bitmap, left, top, size.width, size.height);
  const message = `A mask at (${left}, ${top}) reaches out of its image of ${size.width} × ${size.height}; what lies outside was cut off.`;
  return { geometry: { kind: 'mask', rle }, repaired: outside ? { reason: 'mask-outside', message } : null };
}

function refused(reason: string, message: string): CvatShape {
  return { geometry: null, reason, message };
}

function polygon(outer: Ring): Geometry {
  return { kind: 'polygon', parts: [{ outer, holes: [] }] };
}

function turned(offsets: Ring, cx: number, cy: number, degrees: number): Ring {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const out: number[] = [];
  for (let i = 0; i < offsets.length; i += 2) {
    const [x, y] = [offsets[i] ?? 0, offsets[i + 1] ?? 0];
    out.push(cx + x * cos - y * sin, cy + x * sin + y * cos);
  }
  return out;
}

/** How a geometry is written: the element's name and the attributes of its place; null where it has no pixel. */
export function shapeOf(geometry: Geometry, size: Size): Pick<XmlElement, 'name' | 'attributes'> | null {
  if (geometry.kind === 'box') {
    const [x, y, width, height]: Box = geometry.box;
    const attributes = { xtl: String(x), ytl: String(y), xbr: String(x + width), ybr: String(y + height) };
    return width > 0 && height > 0 ? { name: 'box', attributes } : null;
  }
  const [part, ...others] = geometry.kind === 'polygon' ? geometry.parts : [];
  if (part && others.length === 0 && part.holes.length === 0) return { name: 'polygon', attributes: { points: pointsText(part.outer) } };
  const patch = rasterizePatch(geometry, size.width, size.height);
  if (!patch) return null;
  const { bitmap, x, y } = patch;
  const place = { left: String(x), top: String(y), width: String(bitmap.width), height: String(bitmap.height) };
  return { name: 'mask', attributes: { rle: rowRuns(bitmap).join(', '), ...place } };
}

function pointsText(ring: Ring): string {
  const pairs: string[] = [];
  for (let i = 0; i + 1 < ring.length; i += 2) pairs.push(`${ring[i] ?? 0},${ring[i + 1] ?? 0}`);
  return pairs.join(';');
}

function rowRuns({ data }: Bitmap): number[] {
  const runs: number[] = [];
  let value = 0;
  let start = 0;
  for (let i = 0; i <= data.length; i++) {
    if (i < data.length && data[i] === value) continue;
    runs.push(i - start);
    start = i;
    value = 1 - value;
  }
  return runs;
}
