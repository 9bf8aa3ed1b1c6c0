import type { ObjectClass } from './objects/object.ts';
import type { Placement } from './layers.ts';
import type { Random } from './random.ts';
import { OBJECT_CLASSES } from './objects/index.ts';
import { footprint, layObject, layTable } from './layers.ts';
import { makeLight, shade } from './light.ts';
import { develop } from './camera.ts';
import { seededRandom } from './random.ts';
import { makeSurface } from './surfaces.ts';

/** One thing in a scene. */
export interface SceneObject {
  readonly label: string;
  /** 1 where the object is what the camera sees, else 0; row-major, `width * height`. Holes are 0. */
  readonly mask: Uint8Array;
}

/** A drawn photograph and the truth about it. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  /** sRGB, row-major, 3 bytes per pixel. */
  readonly rgb: Uint8Array;
  readonly objects: readonly SceneObject[];
}

/** The classes of the scenes in the order of their category ids, the first being 1. */
export const SCENE_LABELS: readonly string[] = OBJECT_CLASSES.map((kind) => kind.label);

const FEWEST = 3;
const MOST = 15;
/** Less than this many visible pixels, or less than this share of the object, is not worth an annotation. */
const LEAST_PIXELS = 80;
const LEAST_SHARE = 0.35;

interface Candidate {
  readonly kind: ObjectClass;
  readonly placement: Placement;
}

/**
 * Draws a table top with 3 to 15 everyday objects, seen from above, as a photograph with exact instance masks.
 * The same seed and size give the same bytes. Masks of different objects never share a pixel. Every drawn object is
 * annotated: one that would hardly be seen is taken off the table before anything is drawn.
 * Throws RangeError for a size that is not two whole numbers from 64 to 8192, Error where no three objects find room.
 */
export function drawScene(seed: number, size: { width: number; height: number } = { width: 640, height: 480 }): Scene {
  const { width, height } = size;
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 64 || side > 8192) throw new RangeError(`scene size: ${width}×${height} is not within 64..8192`);
  }
  const random = seededRandom(seed);
  const short = Math.min(width, height);
  const surface = makeSurface(random);
  const light = makeLight(random);
  let candidates = keepVisible(arrange(random, width, height), width, height);
  // Seldom, in small or crowded pictures, too little is left to see: lay the table again.
  for (let attempt = 0; candidates.length < FEWEST && attempt < 50; attempt++) {
    candidates = keepVisible(arrange(random, width, height), width, height);
  }
  if (candidates.length < FEWEST) throw new Error(`scene ${seed}: fewer than ${FEWEST} objects can be seen at ${width}×${height}`);
  const layers = layTable(width, height, surface, short / 480);
  candidates.forEach((candidate, id) => layObject(layers, candidate.placement, id));
  const rgb = develop(shade(layers, light), width, height, random);
  const objects = candidates.map(({ kind }) => ({ label: kind.label, mask: new Uint8Array(width * height) }));
  layers.owner.forEach((id, i) => {
    if (id >= 0) objects[id]!.mask[i] = 1;
  });
  return { width, height, rgb, objects };
}

/** Chooses objects and places, lowest first: flat things before tall ones. */
function arrange(random: Random, width: number, height: number): Candidate[] {
  const short = Math.min(width, height);
  const target = random.integer(6, MOST);
  // A scene is mostly of a few kinds, as real tables are.
  const kinds = OBJECT_CLASSES.filter(() => random.chance(0.7));
  const palette = kinds.length >= 2 ? kinds : OBJECT_CLASSES;
  const scale = random.range(0.95, 1.3) * (target > 11 ? 0.92 : 1);
  const crowd = random.range(0.25, 0.95);
  const placed: Candidate[] = [];
  for (let attempt = 0; placed.length < target && attempt < target * 20; attempt++) {
    const kind = random.pick(palette);
    const radius = short * scale * random.range(kind.radius[0], kind.radius[1]);
    const x = random.range(0, width / radius) * radius;
    const y = random.range(0, height / radius) * radius;
    const closeness = random.chance(crowd) ? random.range(0.6, 0.9) : 1.04;
    const clash = placed.some((other) => {
      const gap = Math.hypot(other.placement.x - x, other.placement.y - y) / (other.placement.radius + radius);
      return gap < (kind.tall && other.kind.tall ? 1 : closeness);
    });
    if (clash) continue;
    placed.push({ kind, placement: place(random, kind, x, y, radius, width, height) });
  }
  return placed.sort((a, b) => Number(a.kind.tall) - Number(b.kind.tall));
}

function place(random: Random, kind: ObjectClass, x: number, y: number, radius: number, width: number, height: number): Placement {
  const angle = random.range(0, 2 * Math.PI);
  // A camera above the middle sees tops displaced outwards; in object axes that vector turns with the object.
  const reach = 0.42 / Math.max(width, height);
  const dx = (x - width / 2) * reach;
  const dy = (y - height / 2) * reach;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const look = kind.make(random, cos * dx + sin * dy, cos * dy - sin * dx);
  return { x, y, radius, angle, base: kind.tall ? 0 : radius * 0.06, look };
}

/** Takes away what would hardly be seen, and keeps the stack's order. */
function keepVisible(candidates: Candidate[], width: number, height: number): Candidate[] {
  const prints = candidates.map(({ placement }) => footprint(width, height, placement));
  const wholes = candidates.map(({ placement }) => fullArea(placement));
  const kept = candidates.map(() => true);
  const owner = new Int16Array(width * height).fill(-1);
  for (;;) {
    owner.fill(-1);
    prints.forEach((print, id) => {
      if (kept[id]) for (const i of print) owner[i] = id;
    });
    let worst = -1;
    let worstShare = LEAST_SHARE;
    prints.forEach((print, id) => {
      if (!kept[id]) return;
      let visible = 0;
      for (const i of print) if (owner[i] === id) visible++;
      const share = visible < LEAST_PIXELS ? 0 : visible / wholes[id]!;
      if (share < worstShare) {
        worst = id;
        worstShare = share;
      }
    });
    if (worst < 0) break;
    kept[worst] = false;
  }
  return candidates.filter((_, id) => kept[id]);
}

/** Pixels that the object would cover if nothing cut or covered it. */
function fullArea(placement: Placement): number {
  const side = Math.ceil(placement.radius * 2.3) + 6;
  return Math.max(1, footprint(side, side, { ...placement, x: side / 2, y: side / 2 }).length);
}
