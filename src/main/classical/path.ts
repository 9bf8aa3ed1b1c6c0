import type { Pause } from '../../shared/classical/raster.ts';
import type { EdgeFeatures, Ways } from '../../shared/classical/scissors.ts';
import { snapTo, strongest, waysFrom } from '../../shared/classical/scissors.ts';
import type { Corridor } from './corridor.ts';
import { createCorridor } from './corridor.ts';
import { edgeFeatures } from './edges.ts';
import type { OpenCv } from './opencv.ts';
import type { Picture } from './picture.ts';
import { pixelAt } from './picture.ts';

/** Pixels that edges are looked for on. */
const MOST_PIXELS = 1_000_000;

type Place = readonly [x: number, y: number];

export interface Path {
  /** Flat x, y, image space: the middles of its pixels. */
  readonly points: number[];
  readonly stepPx: number;
}

/** Intelligent scissors over pictures: keeps the edges of the last picture and the ways from the last seed. */
export function createScissors(cv: OpenCv): (picture: Picture, from: Place, to: Place, snap: number, pause: Pause) => Path {
  let edges: { picture: Picture; features: EdgeFeatures; full: number; corridor: Corridor } | null = null;
  let seeded: { features: EdgeFeatures; seed: number; ways: Ways } | null = null;

  return (picture, from, to, snap, pause) => {
    if (edges?.picture !== picture) {
      const features = edgeFeatures(cv, picture.at(MOST_PIXELS));
      edges = { picture, features, full: strongest(features), corridor: createCorridor(picture.fine, features.width, features.height) };
    }
    pause();
    const { features, full, corridor } = edges;
    const reach = (snap * features.width) / picture.width;
    const ends = [from, to].map(([x, y]) => {
      const pixel = pixelAt(picture, features, x, y);
      const snapped = snapTo(features, pixel.x, pixel.y, reach);
      return snapped.y * features.width + snapped.x;
    }) as [number, number];
    const [seed, target] = ends;
    if (seeded?.features !== features || seeded.seed !== seed) seeded = { features, seed, ways: waysFrom(features, seed, full) };
    const way = seeded.ways.to(target);
    pause();
    const { fine } = picture;
    const pixels = corridor(way);
    const scaleX = picture.width / fine.width;
    const scaleY = picture.height / fine.height;
    return { points: pixels.map((value, i) => (value + 0.5) * (i % 2 === 0 ? scaleX : scaleY)), stepPx: Math.max(scaleX, scaleY) };
  };
}
