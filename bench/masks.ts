import { encodeRle, decodeRle, mergeRle, rleArea, rleBox, rleFromPolygons, rleIou, rleToCounts } from '../src/shared/mask/rle.ts';
import {
  plainArea,
  plainBox,
  plainFromString,
  plainIou,
  plainMask,
  plainMerge,
  plainPolygon,
  plainRuns,
  plainString,
} from '../src/shared/mask/plain.test-support.ts';
import { seededRandom } from '../src/shared/scenes/random.ts';
import type { Row } from './measure.ts';
import { measureInTurn } from './measure.ts';

const WIDTH = 640;
const HEIGHT = 480;

/** A closed outline with some waves, of the size that objects have on photographs. */
function outline(seed: number): number[] {
  const random = seededRandom(seed);
  const [x, y, radius] = [random.range(60, WIDTH - 60), random.range(60, HEIGHT - 60), random.range(12, 110)];
  const waves = random.integer(2, 7);
  return Array.from({ length: 48 }, (_, i) => (i * 2 * Math.PI) / 48).flatMap((angle) => {
    const r = radius * (1 + 0.25 * Math.sin(waves * angle));
    return [Number((x + r * Math.cos(angle)).toFixed(2)), Number((y + r * Math.sin(angle)).toFixed(2))];
  });
}

/**
 * COCO's mask operations beside the same done plainly, pixel by pixel (`plain.test-support.ts`, which the tests compare them with
 * bit by bit), on 40 instances of a 640 × 480 image.
 */
export async function benchMasks(rounds: number): Promise<Row[]> {
  const rings = Array.from({ length: 40 }, (_, i) => outline(i));
  const rles = rings.map((ring) => rleFromPolygons([ring], [HEIGHT, WIDTH]));
  const plain = rings.map((ring) => plainPolygon(ring, WIDTH, HEIGHT));
  const crowd = rles.map((_, i) => i % 9 === 0);
  const bitmaps = rles.map(decodeRle);
  const few = rles.slice(0, 8);
  const plainFew = plain.slice(0, 8);
  const compare = async (what: string, ours: () => unknown, plainly: () => unknown, note = ''): Promise<Row> => {
    const [mine, reference] = await measureInTurn(
      [
        { name: what, run: ours },
        { name: 'plain reference', run: plainly },
      ],
      rounds,
      2,
    );
    if (!mine || !reference) throw new Error('nothing was measured');
    return { what: `masks: ${what}`, ours: mine, reference, note };
  };
  return [
    await compare(
      'polygon to RLE',
      () => rings.map((ring) => rleFromPolygons([ring], [HEIGHT, WIDTH])),
      () => rings.map((ring) => plainString(plainRuns(plainPolygon(ring, WIDTH, HEIGHT)))),
      '40 polygons of 48 points',
    ),
    await compare(
      'pixels to RLE',
      () => bitmaps.map(encodeRle),
      () => plain.map((mask) => plainString(plainRuns(mask))),
    ),
    await compare(
      'RLE to pixels',
      () => rles.map(decodeRle),
      () => rles.map(({ counts }) => plainMask(plainFromString(counts), WIDTH, HEIGHT)),
    ),
    await compare(
      'string to runs',
      () => rles.map(rleToCounts),
      () => rles.map(({ counts }) => plainFromString(counts)),
    ),
    await compare(
      'area',
      () => rles.map(rleArea),
      () => plain.map(plainArea),
      'ours from the string',
    ),
    await compare(
      'box',
      () => rles.map(rleBox),
      () => plain.map(plainBox),
      'ours from the string',
    ),
    await compare(
      'merge',
      () => mergeRle(rles, 'union'),
      () => plainMerge(plain, false),
      'the union of 40',
    ),
    await compare(
      'IoU, crowds among them',
      () => rleIou(few, few, crowd),
      () => plainFew.map((d) => plainFew.map((t, g) => plainIou(d, t, crowd[g] ?? false))),
      '8 × 8',
    ),
  ];
}
