/** One picture of the sample project. */
export interface SampleScene {
  readonly name: string;
  readonly seed: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

const SIZES: readonly (readonly [number, number])[] = [
  [960, 720],
  [960, 720],
  [1080, 720],
  [720, 960],
  [960, 640],
  [800, 800],
];

/** First seed of the sample project. Training scenes start at 1,000,000 and held-out ones at 2,000,000. */
export const SAMPLE_FIRST_SEED = 3_000_000;

/** Places whose own seed draws a dull picture, and the seed that draws there instead. */
const CHOSEN: ReadonlyMap<number, number> = new Map([
  [6, SAMPLE_FIRST_SEED + 26],
  [20, SAMPLE_FIRST_SEED + 29],
]);

/** The 24 pictures of the sample project: `drawScene(seed, {width, height})` draws each. */
export const SAMPLE_SCENES: readonly SampleScene[] = Array.from({ length: 24 }, (_, index) => {
  const [width, height] = SIZES[index % SIZES.length] ?? [960, 720];
  return { name: `scene-${String(index + 1).padStart(2, '0')}.jpg`, seed: CHOSEN.get(index) ?? SAMPLE_FIRST_SEED + index, width, height };
});
