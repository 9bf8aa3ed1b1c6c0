import type { MeanShiftParameters } from './questions.ts';
import type { LabelMap, Pause, Rgb } from './raster.ts';
import { labOf } from './colour.ts';
import { mergeSmall } from './regions.ts';

/** A point has arrived when a step, in bandwidths, is shorter than this squared; and after so many steps at the latest. */
const ARRIVED = 1e-3;
const STEPS = 30;
/** Samples on either side of the window's middle at most: a wider window is sampled on a grid. */
const MOST_SAMPLES = 7;

/**
 * Mean shift segmentation (Comaniciu & Meer, PAMI 2002): every pixel climbs in the joint space of place and
 * L*a*b* colour to the mode of its density (flat kernel: radius `spatial` in the image, `range` in colour);
 * neighbours whose modes are alike form a region; regions with less than `smallest` of the pixels go to the
 * neighbour of the nearest colour. A pixel on the way of another, of nearly its colour, shares its mode, as in
 * the authors' own speed-up (Christoudias, Georgescu & Meer, ICPR 2002). Labels from 1, in reading order.
 */
export function meanShift(image: Rgb, parameters: MeanShiftParameters, pause: Pause = () => undefined): LabelMap {
  const modes = shiftModes(image, parameters.spatial, parameters.range, pause);
  const regions = joinAlike(image.width, modes, parameters.range / 2);
  const colours = regionColours(regions, modes);
  const fused = fuse(regions, colours, parameters.range / 2);
  const after = regionColours(fused, modes);
  const distance = (a: number, b: number): number =>
    Math.hypot(after[a * 4]! - after[b * 4]!, after[a * 4 + 1]! - after[b * 4 + 1]!, after[a * 4 + 2]! - after[b * 4 + 2]!);
  return mergeSmall(fused, Math.ceil(parameters.smallest * image.width * image.height), pause, distance);
}

/** The colour, L*a*b*, of the mode that each pixel climbs to. */
export function shiftModes(image: Rgb, spatial: number, range: number, pause: Pause = () => undefined): Float32Array {
  const { width, height } = image;
  const lab = labOf(image);
  const modes = new Float32Array(lab.length);
  const known = new Uint8Array(width * height);
  const stride = Math.max(1, Math.ceil(spatial / MOST_SAMPLES));
  const reach2 = spatial * spatial;
  const range2 = range * range;
  const path: number[] = [];
  for (let start = 0; start < known.length; start++) {
    if (start % 512 === 0) pause();
    if (known[start]) continue;
    let x = start % width;
    let y = Math.floor(start / width);
    let l = lab[start * 3]!;
    let a = lab[start * 3 + 1]!;
    let b = lab[start * 3 + 2]!;
    path.length = 0;
    known[start] = 2;
    path.push(start);
    for (let step = 0; step < STEPS; step++) {
      let n = 0;
      let sumX = 0;
      let sumY = 0;
      let sumL = 0;
      let sumA = 0;
      let sumB = 0;
      const cx = Math.round(x);
      const cy = Math.round(y);
      const most = Math.floor(spatial / stride) * stride;
      for (let dy = -most; dy <= most; dy += stride) {
        const sy = cy + dy;
        if (sy < 0 || sy >= height) continue;
        for (let dx = -most; dx <= most; dx += stride) {
          const sx = cx + dx;
          if (sx < 0 || sx >= width || dx * dx + dy * dy > reach2) continue;
          const i = (sy * width + sx) * 3;
          const dl = lab[i]! - l;
          const da = lab[i + 1]! - a;
          const db = lab[i + 2]! - b;
          if (dl * dl + da * da + db * db > range2) continue;
          n++;
          sumX += sx;
          sumY += sy;
          sumL += lab[i]!;
          sumA += lab[i + 1]!;
          sumB += lab[i + 2]!;
        }
      }
      if (n === 0) break;
      const moved =
        ((sumX / n - x) ** 2 + (sumY / n - y) ** 2) / reach2 + ((sumL / n - l) ** 2 + (sumA / n - a) ** 2 + (sumB / n - b) ** 2) / range2;
      x = sumX / n;
      y = sumY / n;
      l = sumL / n;
      a = sumA / n;
      b = sumB / n;
      if (moved < ARRIVED) break;
      const at = Math.round(y) * width + Math.round(x);
      const near = (lab[at * 3]! - l) ** 2 + (lab[at * 3 + 1]! - a) ** 2 + (lab[at * 3 + 2]! - b) ** 2 < range2 / 4;
      if (!near) continue;
      if (known[at] === 1) {
        l = modes[at * 3]!;
        a = modes[at * 3 + 1]!;
        b = modes[at * 3 + 2]!;
        break;
      }
      if (known[at] === 0) {
        known[at] = 2;
        path.push(at);
      }
    }
    for (const i of path) {
      known[i] = 1;
      modes[i * 3] = l;
      modes[i * 3 + 1] = a;
      modes[i * 3 + 2] = b;
    }
  }
  return modes;
}

/** Regions of neighbours whose modes lie within `reach` of that of the region's first pixel. */
function joinAlike(width: number, modes: Float32Array, reach: number): LabelMap {
  const data = new Uint32Array(modes.length / 3);
  const reach2 = reach * reach;
  const stack: number[] = [];
  let label = 0;
  for (let start = 0; start < data.length; start++) {
    if (data[start]) continue;
    label++;
    data[start] = label;
    stack.push(start);
    const join = (i: number): void => {
      if (data[i]) return;
      const dl = modes[i * 3]! - modes[start * 3]!;
      const da = modes[i * 3 + 1]! - modes[start * 3 + 1]!;
      const db = modes[i * 3 + 2]! - modes[start * 3 + 2]!;
      if (dl * dl + da * da + db * db > reach2) return;
      data[i] = label;
      stack.push(i);
    };
    for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
      const x = i % width;
      if (x > 0) join(i - 1);
      if (x + 1 < width) join(i + 1);
      if (i >= width) join(i - width);
      if (i + width < data.length) join(i + width);
    }
  }
  return { width, height: data.length / width, data };
}

/** By label, four numbers each: mean L*, a*, b* of its pixels' modes, and how many they are. */
function regionColours(map: LabelMap, modes: Float32Array): Float64Array {
  let most = 0;
  for (const label of map.data) if (label > most) most = label;
  const out = new Float64Array((most + 1) * 4);
  for (let i = 0; i < map.data.length; i++) {
    const at = map.data[i]! * 4;
    for (let c = 0; c < 3; c++) out[at + c] = out[at + c]! + modes[i * 3 + c]!;
    out[at + 3] = out[at + 3]! + 1;
  }
  for (let at = 0; at < out.length; at += 4) for (let c = 0; c < 3; c++) out[at + c] = out[at + c]! / Math.max(1, out[at + 3]!);
  return out;
}

/** Neighbouring regions whose mean colours lie within `reach` become one, and what they touch with them. */
function fuse(map: LabelMap, colours: Float64Array, reach: number): LabelMap {
  const target = Uint32Array.from({ length: colours.length / 4 }, (_, label) => label);
  const root = (label: number): number => {
    let at = label;
    while (target[at] !== at) {
      target[at] = target[target[at]!]!;
      at = target[at]!;
    }
    return at;
  };
  const join = (a: number, b: number): void => {
    if (a === b) return;
    const distance = (colours[a * 4]! - colours[b * 4]!) ** 2 + (colours[a * 4 + 1]! - colours[b * 4 + 1]!) ** 2;
    if (distance + (colours[a * 4 + 2]! - colours[b * 4 + 2]!) ** 2 > reach * reach) return;
    const [low, high] = [root(a), root(b)].sort((one, other) => one - other) as [number, number];
    target[high] = low;
  };
  const { width, data } = map;
  for (let i = 0; i < data.length; i++) {
    if (i % width > 0) join(data[i]!, data[i - 1]!);
    if (i >= width) join(data[i]!, data[i - width]!);
  }
  return { ...map, data: data.map((label) => root(label)) };
}
