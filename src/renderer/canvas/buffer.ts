import type { Size, Viewport } from '../editor/viewport.ts';
import type { Paint } from './paint.ts';

/** Paints a layer bit by bit: it yields wherever it may be interrupted for the next frame. */
export type Work = (paint: Paint, viewport: Viewport) => Generator<undefined, void>;

/** How long painting may take in one frame; a quiet scene needs one slice and is shown at once. */
const SLICE_MS = 16;
/**
 * The clock sees only the recording of canvas commands; drawing them follows when the frame is put
 * together. So the number of steps in one slice is bounded too, by how long the last frames really took.
 */
const FIRST_STEPS = 300;
const LEAST_STEPS = 40;
const MOST_STEPS = 4000;
const SLOW_FRAME_MS = 40;
const QUICK_FRAME_MS = 22;

export interface Buffer {
  /** What the layer shows has changed. */
  invalidate(): void;
  /**
   * Puts the layer on `target`. When painting takes longer than a frame, what was painted last is shown
   * meanwhile, moved and scaled to where it belongs now, so that panning stays fluid with thousands of
   * instances. Answers whether the layer is up to date.
   */
  paint(target: Paint, viewport: Viewport, size: Size, ratio: number): boolean;
}

interface Sheet {
  readonly canvas: HTMLCanvasElement;
  viewport: Viewport;
  size: Size;
  ratio: number;
}

export function createBuffer(work: Work): Buffer {
  let front: Sheet | null = null;
  let spare: HTMLCanvasElement | null = null;
  let building: { readonly sheet: Sheet; readonly steps: Generator<undefined, void> } | null = null;
  let stale = true;
  let steps = FIRST_STEPS;
  let slicedAt = 0;

  function isCurrent(sheet: Sheet | null, viewport: Viewport, size: Size, ratio: number): boolean {
    return (
      sheet !== null &&
      sheet.viewport === viewport &&
      sheet.ratio === ratio &&
      sheet.size.width === size.width &&
      sheet.size.height === size.height
    );
  }

  function start(viewport: Viewport, size: Size, ratio: number): void {
    const canvas = spare ?? document.createElement('canvas');
    spare = null;
    // Setting the size clears the canvas and its state.
    canvas.width = Math.max(1, Math.round(size.width * ratio));
    canvas.height = Math.max(1, Math.round(size.height * ratio));
    const paint = canvas.getContext('2d');
    if (!paint) return;
    paint.scale(ratio, ratio);
    stale = false;
    building = { sheet: { canvas, viewport, size, ratio }, steps: work(paint, viewport) };
  }

  return {
    invalidate() {
      stale = true;
    },
    paint(target, viewport, size, ratio) {
      if (!building && (stale || !isCurrent(front, viewport, size, ratio))) start(viewport, size, ratio);
      if (building) {
        const now = performance.now();
        const frame = now - slicedAt;
        if (slicedAt && frame > SLOW_FRAME_MS) steps = Math.max(LEAST_STEPS, steps / 2);
        else if (slicedAt && frame < QUICK_FRAME_MS) steps = Math.min(MOST_STEPS, steps * 1.5);
        let done = false;
        for (let step = 0; !done && step < steps && performance.now() - now < SLICE_MS; step++) done = building.steps.next().done === true;
        // Only frames in a row say how long one takes.
        slicedAt = done ? 0 : now;
        if (done) {
          spare = front?.canvas ?? null;
          front = building.sheet;
          building = null;
        }
      }
      if (front) show(target, front, viewport);
      return !building && !stale && isCurrent(front, viewport, size, ratio);
    },
  };
}

function show(target: Paint, sheet: Sheet, viewport: Viewport): void {
  target.save();
  if (sheet.viewport === viewport) {
    // The same device pixels, one to one.
    target.setTransform(1, 0, 0, 1, 0, 0);
    target.drawImage(sheet.canvas, 0, 0);
  } else {
    const k = viewport.scale / sheet.viewport.scale;
    const { width, height } = sheet.size;
    target.drawImage(sheet.canvas, viewport.x - sheet.viewport.x * k, viewport.y - sheet.viewport.y * k, width * k, height * k);
  }
  target.restore();
}
