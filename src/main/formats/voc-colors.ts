import type { Rgb } from '../../shared/views/coverage.ts';

/**
 * Pascal VOC's colours: number `index` has its bits dealt out to red, green and blue from the highest down (`VOClabelcolormap`
 * of the VOC development kit).
 */
export function vocColor(index: number): Rgb {
  let [red, green, blue] = [0, 0, 0];
  for (let rest = index, bit = 7; rest > 0 && bit >= 0; rest >>= 3, bit--) {
    red |= (rest & 1) << bit;
    green |= ((rest >> 1) & 1) << bit;
    blue |= ((rest >> 2) & 1) << bit;
  }
  return [red, green, blue];
}

/** The 256 colours of VOC's palette. */
export function vocPalette(): Rgb[] {
  return Array.from({ length: 256 }, (_, index) => vocColor(index));
}

/** A colour as one number, R + 256 G + 65536 B, as `PngNumbers` has it. */
export function colourNumber([red, green, blue]: Rgb): number {
  return red + 256 * green + 65536 * blue;
}

export function hexOf([red, green, blue]: Rgb): string {
  return '#' + [red, green, blue].map((value) => value.toString(16).padStart(2, '0').toUpperCase()).join('');
}

/** The classes of the VOC challenges in their order, numbers from 1. */
export const VOC_CLASSES =
  'aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor'.split(
    ' ',
  );

/** A class of a map: which number or colour it has. */
export interface MapClass {
  readonly index: number;
  readonly name: string;
  readonly color: Rgb | null;
  /** Not a class: what no instance covers, or what is to be ignored. */
  readonly ground: boolean;
}

/** Names that stand for no class. */
const GROUND = new Set([
  'background',
  '_background_',
  '__background__',
  '__ignore__',
  '_ignore_',
  'ignored',
  'ignore',
  'void',
  'unlabeled',
  'unlabelled',
]);

/** Whether a listed class is none: by its name, and its place or its colour; a project may call a class `background`. */
export function isGroundClass(name: string, index: number, color: Rgb | null): boolean {
  if (!GROUND.has(name.trim().toLowerCase())) return false;
  return index === 0 || (color !== null && [0, colourNumber(vocColor(255))].includes(colourNumber(color)));
}

/**
 * `labelmap.txt` as CVAT and Datumaro write it: `name:r,g,b:parts:actions`, one a line, `#` before a remark. The colour
 * decides; the place in the file is the number. Answers with the lines that are none.
 */
export function readLabelmap(text: string): { readonly classes: MapClass[]; readonly wrong: string[] } {
  const classes: MapClass[] = [];
  const wrong: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '' || /^#(?!.*:\s*\d{1,3}\s*,\s*\d{1,3}\s*,)/.test(line)) continue;
    const found = /^(.*?):\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?::.*)?$/.exec(line) ?? /^([^:]+)()()()(?::.*)?$/.exec(line);
    const [, name = '', red = '', green = '', blue = ''] = found ?? [];
    const color: Rgb | null = red === '' ? null : [Number(red), Number(green), Number(blue)];
    if (!found || name.trim() === '' || color?.some((value) => value > 255)) wrong.push(line);
    else classes.push({ index: classes.length, name: name.trim(), color, ground: isGroundClass(name, classes.length, color) });
  }
  return { classes, wrong };
}

/**
 * Colours for the numbers of a written map: 0 is black, then each class its own, VOC's where another class or the ground has
 * it already: readers tell classes apart by colour.
 */
export function mapPalette(colors: readonly Rgb[]): Rgb[] {
  const taken = new Set([colourNumber([0, 0, 0]), colourNumber(vocColor(255))]);
  const out: Rgb[] = [[0, 0, 0]];
  for (const color of colors) {
    let own = color;
    for (let index = out.length; taken.has(colourNumber(own)); index++) own = vocColor(index % 256);
    taken.add(colourNumber(own));
    out.push(own);
  }
  return out;
}
