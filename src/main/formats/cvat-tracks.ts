import { readPoints } from './cvat-shapes.ts';
import type { XmlElement } from './xml-elements.ts';
import { childOf, numberOf, textOf } from './xml-elements.ts';

/**
 * What lies between the shapes that a track of CVAT lists. A track is an object of a video; its keyframes say where it is, and CVAT
 * works the frames between them out: https://docs.cvat.ai/docs/annotation/manual-annotation/modes/track-mode-basics/
 */

/** The frames of a video's task. */
export interface TaskFrames {
  readonly start: number;
  /** Every how many of the video's frames one is in the task. */
  readonly step: number;
  /** The last one; null where the file does not say. */
  readonly stop: number | null;
}

/** Frames that a track goes over and that cannot be worked out. */
export interface TrackGap {
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

/** `<task>` or `<job>` in a file's `<meta>`. */
export function taskFrames(task: XmlElement): TaskFrames {
  const whole = (key: string): number | null => {
    const value = numberOf(textOf(task, key) ?? undefined);
    return value !== null && Number.isInteger(value) && value >= 0 ? value : null;
  };
  const step = Number(/^\s*step\s*=\s*(\d+)/.exec(childOf(task, 'frame_filter')?.text ?? '')?.[1] ?? 1);
  return { start: whole('start_frame') ?? 0, step: Math.max(1, step), stop: whole('stop_frame') };
}

/**
 * The shapes of a track with those that it does not list: between two of them on each frame of the task that is among `frames`
 * (ascending), and after the last one that one again, until the end. A shape that is `outside` ends what is before it. Boxes and ellipses
 * go in a straight line and turn the shorter way round; polygons with as many vertices do so vertex by vertex. All else that
 * lies between is a gap. Frames are numbers of the video; what is worked out has `keyframe="0"` and the attributes of the shape before.
 */
export function filledTrack(
  listed: readonly XmlElement[],
  { start, step, stop }: TaskFrames,
  frames: readonly number[],
): { readonly shapes: readonly XmlElement[]; readonly filled: number; readonly gaps: readonly TrackGap[] } {
  const frameOf = (shape: XmlElement): number => numberOf(shape.attributes['frame']) ?? NaN;
  const known = listed.filter((shape) => Number.isInteger(frameOf(shape))).sort((a, b) => frameOf(a) - frameOf(b));
  const shapes: XmlElement[] = listed.filter((shape) => !Number.isInteger(frameOf(shape)));
  const gaps: TrackGap[] = [];
  let filled = 0;
  let at = 0;
  for (const [i, shape] of known.entries()) {
    shapes.push(shape);
    if (shape.attributes['outside'] === '1') continue;
    const next = known[i + 1];
    const from = frameOf(shape);
    // Without an end CVAT shows it until the video's.
    const to = next ? frameOf(next) : stop === null ? from : stop + 1;
    while ((frames[at] ?? Infinity) <= from) at++;
    const missing: number[] = [];
    for (let k = at; (frames[k] ?? Infinity) < to; k++) {
      const frame = frames[k] ?? 0;
      if ((frame - start) % step === 0) missing.push(frame);
    }
    if (missing.length === 0) continue;
    const between = next ? placeBetween(shape, next) : () => ({});
    if (typeof between === 'string') {
      gaps.push({ from: missing[0] ?? 0, to: missing.at(-1) ?? 0, why: between });
      continue;
    }
    for (const frame of missing) {
      const place = between((frame - from) / (to - from));
      shapes.push({ ...shape, attributes: { ...shape.attributes, ...place, frame: String(frame), keyframe: '0' } });
      filled++;
    }
  }
  return { shapes, filled, gaps };
}

type Place = Readonly<Record<string, string>>;

const LINES: Readonly<Record<string, readonly string[]>> = { box: ['xtl', 'ytl', 'xbr', 'ybr'], ellipse: ['cx', 'cy', 'rx', 'ry'] };

/** Where a shape is at a share of the way to the next one; or why nothing says so. */
function placeBetween(a: XmlElement, b: XmlElement): ((share: number) => Place) | string {
  if (a.name !== b.name) return `it is a ${a.name} before and a ${b.name} after them`;
  if (a.name === 'polygon') {
    const [from, to] = [readPoints(a.attributes['points'] ?? ''), readPoints(b.attributes['points'] ?? '')];
    if (from === null || to === null) return 'its points are no list of x,y pairs';
    if (from.length !== to.length) return `it has ${from.length / 2} vertices before and ${to.length / 2} after them`;
    return (share) => {
      const pairs: string[] = [];
      for (let i = 0; i < from.length; i += 2) pairs.push(`${mixed(from[i], to[i], share)},${mixed(from[i + 1], to[i + 1], share)}`);
      return { points: pairs.join(';') };
    };
  }
  const keys = LINES[a.name];
  if (!keys) return `nothing says how a ${a.name} moves`;
  const numbers = (shape: XmlElement): (number | null)[] => keys.map((key) => numberOf(shape.attributes[key]));
  const [from, to] = [numbers(a), numbers(b)];
  if ([...from, ...to].includes(null)) return 'its place is not said in numbers';
  const [angle, other] = [numberOf(a.attributes['rotation']) ?? 0, numberOf(b.attributes['rotation']) ?? 0];
  const turn = ((((other - angle + 180) % 360) + 360) % 360) - 180;
  return (share) => {
    const place = Object.fromEntries(keys.map((key, i) => [key, String(mixed(from[i], to[i], share))]));
    return angle === 0 && turn === 0 ? place : { ...place, rotation: String((angle + turn * share + 360) % 360) };
  };
}

function mixed(a: number | null | undefined, b: number | null | undefined, share: number): number {
  return (a ?? 0) + ((b ?? 0) - (a ?? 0)) * share;
}
