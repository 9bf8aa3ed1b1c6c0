import { oklchToHex } from '../palette.ts';

/**
 * The same data told four ways: what is on the image (classification), where (detection), which pixel
 * is of which class (semantic segmentation), and which of which instance (instance segmentation).
 */
export const VIEWS = ['tags', 'boxes', 'semantic', 'instance'] as const;
export type View = (typeof VIEWS)[number];

/** Whether a colour stands for a class in this view; else each instance has its own. */
export function isByClass(view: View): boolean {
  return view !== 'instance';
}

/** Fill of human truth, of suggestions, and of a class where its instances are merged. */
export const TRUTH_FILL = 0.24;
export const SUGGESTION_FILL = 0.1;
export const SEMANTIC_FILL = 0.45;

/** Colour of things whose class is unknown. */
export const UNKNOWN_COLOR = '#8A939D';
const GOLDEN_ANGLE = 137.50776405;
const STEPS = 512;

const made = new Map<number, string>();

/**
 * A colour for one instance that stays with it. Its place on a walk around the OKLCH hue circle by the
 * golden angle, at two lightnesses that stand out on photographs, is its suggestion's number, so that the
 * suggestions of one image, which have consecutive numbers, are as far apart as can be; what was drawn by
 * hand takes a hash of its id (FNV-1a, 32 bit). `key` is `suggestion:<number>` or anything else.
 */
export function instanceColor(key: string): string {
  const suggestion = /^suggestion:(\d+)$/.exec(key)?.[1];
  const place = (suggestion === undefined ? hashOf(key) : Number(suggestion)) % STEPS;
  const known = made.get(place);
  if (known) return known;
  const color = oklchToHex(place % 2 ? 0.78 : 0.68, 0.16, (place * GOLDEN_ANGLE) % 360);
  made.set(place, color);
  return color;
}

function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  // The low bits of FNV-1a differ little between keys that differ in their last sign; fold the high ones in.
  return (hash ^ (hash >>> 15)) >>> 0;
}
