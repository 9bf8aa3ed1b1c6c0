import type { Box, Rle } from '../../shared/records.ts';
import { emptyBitmap } from '../../shared/mask/bitmap.ts';
import { components } from '../../shared/mask/components.ts';
import { decodeRleWithin, encodePatch, rleBox } from '../../shared/mask/rle.ts';
import type { DatasetSink } from './dataset.ts';
import type { PngNumbers } from './png-numbers.ts';
import type { ValueMask } from './value-masks.ts';
import { valueMasks } from './value-masks.ts';
import type { MapClass } from './voc-colors.ts';
import { VOC_CLASSES, colourNumber, vocColor } from './voc-colors.ts';

/** Class maps and object maps as images: which pixels are of which class, and of which object. */

/** One object of a map. */
export interface MapObject {
  /** Its number in the map, from 1. */
  readonly ordinal: number;
  /** The class that most of its pixels have in the class map, null where there is none. */
  readonly name: string | null;
  readonly rle: Rle;
  readonly box: Box;
}

/** Border between objects, and what is left to nobody: number 255, colour 224, 224, 192. */
const BORDER = 255;
const BORDER_COLOUR = colourNumber(vocColor(BORDER));

/** The class of a number of a map: null where it stands for no class. */
export type MapNames = (value: number) => string | null;

/**
 * How the numbers of a class map are read: by their colour where the list of classes has colours, else by their place in
 * it; without a list as the VOC challenge numbers its classes, where `numbering` says so.
 */
export function mapNames(
  map: PngNumbers | null,
  classes: readonly MapClass[] | null,
  numbering: 'voc' | 'none',
  once: (reason: string, message: string) => void,
): MapNames {
  if (!map) return () => null;
  const byColor = new Map((classes ?? []).flatMap((each) => (each.color ? [[colourNumber(each.color), each] as const] : [])));
  const byIndex = new Map((classes ?? []).map((each) => [each.index, each]));
  const nameless = (name: string): string => {
    once('class-without-name', `A class map has a class of which no file says the name; it is called "${name}".`);
    return name;
  };
  return (value) => {
    const color = map.kind === 'colour' ? value : map.kind === 'indexed' ? paletteColour(map, value) : null;
    const known = (color === null ? undefined : byColor.get(color)) ?? (map.kind === 'colour' ? undefined : byIndex.get(value));
    if (known) return known.ground ? null : known.name;
    if (color === 0 || color === BORDER_COLOUR) return null;
    if (map.kind !== 'colour' && (value === 0 || value === BORDER)) return null;
    const index = map.kind === 'colour' ? vocIndex(value) : value;
    const challenge = numbering === 'voc' && classes === null ? VOC_CLASSES[index - 1] : undefined;
    return challenge ?? nameless(map.kind === 'colour' ? colourName(value) : `class ${index}`);
  };
}

function paletteColour(map: PngNumbers, value: number): number | null {
  const color = map.palette[value];
  return color ? colourNumber(color) : null;
}

function colourName(value: number): string {
  return '#' + [value & 255, (value >> 8) & 255, value >> 16].map((each) => each.toString(16).padStart(2, '0').toUpperCase()).join('');
}

/** The number whose VOC colour this is: the inverse of `vocColor`, for all 2^24 colours. */
export function vocIndex(colour: number): number {
  let index = 0;
  for (let bit = 0; bit < 8; bit++) {
    const group = ((colour >> bit) & 1) | (((colour >> (8 + bit)) & 1) << 1) | (((colour >> (16 + bit)) & 1) << 2);
    index |= group << (3 * (7 - bit));
  }
  return index;
}

/** The objects of an image; without an object map all pixels of a class are one. */
export function readObjects(
  maps: { readonly classes: PngNumbers | null; readonly objects: PngNumbers | null },
  names: MapNames,
  path: string,
  sink: DatasetSink,
  once: (reason: string, message: string) => void,
  regions: 'class' | 'components' = 'class',
): MapObject[] {
  const { classes, objects } = maps;
  if (!objects) {
    if (!classes) return [];
    once('regions-not-instances', `Class maps without object maps do not tell instances apart: ${regionsSay(regions)}`);
    return classRegions(classes, names, path, sink, regions);
  }
  const same = classes !== null && classes.width === objects.width && classes.height === objects.height;
  if (classes && !same) {
    const message = `The class map of ${path} is ${classes.width} × ${classes.height}, its object map ${objects.width} × ${objects.height}; only the latter is read.`;
    sink.finding({ kind: 'refused', what: 'image', id: path, reason: 'maps-differ', message });
  }
  const majority = same ? classOfObjects(objects, classes, names) : new Map<number, string>();
  const out: MapObject[] = [];
  for (const [value, { rle }] of masksOf(objects, path, sink)) {
    const ordinal = objects.kind === 'colour' ? vocIndex(value) : value;
    if (ordinal === 0 || (objects.kind === 'colour' ? value === BORDER_COLOUR : ordinal === BORDER)) continue;
    out.push({ ordinal, name: majority.get(value) ?? null, rle, box: rleBox(rle) });
  }
  return out.sort((a, b) => a.ordinal - b.ordinal);
}

/** The masks of a map; none, and a finding, where it is no map. */
function masksOf(map: PngNumbers, path: string, sink: DatasetSink): Map<number, ValueMask> {
  try {
    return valueMasks(map.values, map.width, map.height);
  } catch (thrown) {
    const message = `The map of ${path} cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    sink.finding({ kind: 'refused', what: 'image', id: path, reason: 'map-unreadable', message });
    return new Map();
  }
}

/** What becomes of a class's pixels, for a finding. */
export function regionsSay(regions: 'class' | 'components'): string {
  return regions === 'class'
    ? 'all pixels of a class in an image are one instance.'
    : 'each connected piece of a class is an instance, as was asked for.';
}

/** All pixels of a class as one region, or each 8-connected piece of them, in the order of their numbers. */
export function classRegions(
  map: PngNumbers,
  names: MapNames,
  path: string,
  sink: DatasetSink,
  regions: 'class' | 'components' = 'class',
): MapObject[] {
  const out: MapObject[] = [];
  for (const [value, { rle }] of masksOf(map, path, sink)) {
    const name = names(value);
    if (name === null) continue;
    for (const piece of regions === 'class' ? [rle] : pieces(rle)) {
      out.push({ ordinal: out.length + 1, name, rle: piece, box: rleBox(piece) });
    }
  }
  return out;
}

/** The connected pieces of a mask, over edges and corners, from the top. */
function pieces(rle: Rle): Rle[] {
  const [x, y, width, height] = rleBox(rle);
  const { ids, list } = components(decodeRleWithin(rle, [x, y, width, height]), 8);
  if (list.length < 2) return [rle];
  return list.map(({ id, box: [left, top, w, h] }) => {
    const piece = emptyBitmap(w, h);
    for (let v = 0, i = 0; v < h; v++) {
      for (let u = 0, at = (top + v) * width + left; u < w; u++, i++, at++) if (ids[at] === id) piece.data[i] = 1;
    }
    return encodePatch(piece, x + left, y + top, rle.size[1], rle.size[0]);
  });
}

function classOfObjects(objects: PngNumbers, classes: PngNumbers, names: MapNames): Map<number, string> {
  const counts = new Map<number, Map<number, number>>();
  let object = -1;
  let inObject = new Map<number, number>();
  for (let i = 0; i < objects.values.length; i++) {
    const value = objects.values[i] ?? 0;
    if (value === 0) continue;
    if (value !== object) {
      object = value;
      const known = counts.get(value);
      if (known) inObject = known;
      else counts.set(value, (inObject = new Map<number, number>()));
    }
    const of = classes.values[i] ?? 0;
    inObject.set(of, (inObject.get(of) ?? 0) + 1);
  }
  const out = new Map<number, string>();
  for (const [value, byClass] of counts) {
    const ranked = [...byClass].sort((a, b) => b[1] - a[1]).map(([of]) => names(of));
    const name = ranked.find((each) => each !== null);
    if (name) out.set(value, name);
  }
  return out;
}
