import type { Rgb } from '../src/shared/classical/raster.ts';
import { seededRandom } from '../src/shared/scenes/random.ts';
import type { Picture } from '../src/main/classical/picture.ts';
import { createPicture } from '../src/main/classical/picture.ts';

/** Pictures that tests draw. */

export function pictureOf(image: Rgb): Picture {
  return createPicture(image, image.width, image.height);
}

/** `colour(x, y)`, plus noise of ±`noise` on each channel: always the same. */
export function drawn(
  width: number,
  height: number,
  noise: number,
  colour: (x: number, y: number) => readonly [number, number, number],
): Rgb {
  const random = seededRandom(5);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    colour(i % width, Math.floor(i / width)).forEach((value, c) => {
      data[i * 3 + c] = Math.max(0, Math.min(255, Math.round(value + random.range(-noise, noise))));
    });
  }
  return { width, height, data };
}
