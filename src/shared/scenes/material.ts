import { clamp01 } from './noise.ts';

/** Linear-light red, green, blue, each 0..1. */
export type Colour = readonly [number, number, number];

/** What one point of an object or a table top is made of. One instance is reused for all pixels: speed. */
export interface Sample {
  /** Signed distance to the outline in object units, negative inside. Table tops leave it alone. */
  distance: number;
  /** Asked of an object: at a greater distance than this only the distance need be told. */
  margin: number;
  /** Height over the ground, object units (table tops: pixels). */
  height: number;
  red: number;
  green: number;
  blue: number;
  /** Sharpness of the highlight, 0 (chalk) to 1 (mirror). */
  gloss: number;
  /** Reflectance seen from straight above: 0.04 for most things. */
  specular: number;
  /** 1 tints the reflection with the colour and drops the diffuse part. */
  metal: number;
}

export function emptySample(): Sample {
  return { distance: 1, margin: Infinity, height: 0, red: 0.5, green: 0.5, blue: 0.5, gloss: 0.2, specular: 0.04, metal: 0 };
}

/** sRGB byte → linear light. A table, because objects ask at every pixel. */
const LINEAR: readonly number[] = Array.from({ length: 256 }, (_, byte) => {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : Math.pow((value + 0.055) / 1.055, 2.4);
});

/** A colour given as sRGB hex, e.g. 0xd2b48c, in linear light. */
export function hex(value: number): Colour {
  return [LINEAR[(value >> 16) & 255]!, LINEAR[(value >> 8) & 255]!, LINEAR[value & 255]!];
}

/** The same colour, its hue, saturation and lightness nudged; `amount` 0.1 is a small difference. */
export function vary(colour: Colour, amount: number, next: () => number): Colour {
  const light = 1 + amount * (2 * next() - 1);
  return [
    clamp01(colour[0] * light * (1 + 0.6 * amount * (2 * next() - 1))),
    clamp01(colour[1] * light * (1 + 0.6 * amount * (2 * next() - 1))),
    clamp01(colour[2] * light * (1 + 0.6 * amount * (2 * next() - 1))),
  ];
}

export function paint(sample: Sample, colour: Colour, scale = 1): void {
  sample.red = colour[0] * scale;
  sample.green = colour[1] * scale;
  sample.blue = colour[2] * scale;
}

/** Mixes `colour` into the sample: 0 leaves it, 1 replaces it. */
export function blend(sample: Sample, colour: Colour, share: number): void {
  sample.red += (colour[0] - sample.red) * share;
  sample.green += (colour[1] - sample.green) * share;
  sample.blue += (colour[2] - sample.blue) * share;
}

export function finish(sample: Sample, gloss: number, specular: number, metal: number): void {
  sample.gloss = gloss;
  sample.specular = specular;
  sample.metal = metal;
}
