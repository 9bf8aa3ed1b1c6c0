import type { Random } from '../random.ts';
import type { Sample } from '../material.ts';

/**
 * The look of one object: fills `sample` at (u, v) in object units, where the object lies within the unit circle
 * around (0, 0) and (u, v) turns with it. Distance and height are in object units too. Beyond `sample.margin` it may
 * leave everything but the distance as it is.
 */
export type Look = (u: number, v: number, sample: Sample) => void;

/** How an object of a class is made. */
export interface ObjectClass {
  readonly label: string;
  /** Tall things never overlap one another; flat things may lie half under anything. */
  readonly tall: boolean;
  /** Radius of the unit circle as a share of the picture's short side: smallest, largest. */
  readonly radius: readonly [number, number];
  /** `leanU`, `leanV`: how far, per unit of height, a top is seen displaced from its foot (perspective). */
  make(random: Random, leanU: number, leanV: number): Look;
}

/** A seed for the noise of one object. */
export function noiseSeed(random: Random): number {
  return Math.floor(random.next() * 4294967296) | 0;
}
