import Konva from 'konva/lib/Core.js';
import { Shape } from 'konva/lib/Shape.js';
import type { Size } from '../editor/viewport.ts';
import type { Paint } from './paint.ts';

const LAYERS = ['image', 'annotations', 'suggestions', 'overlay'] as const;
export type LayerName = (typeof LAYERS)[number];

/** Paints one layer, in CSS pixels from the top left corner; false asks to be called again next frame. */
export type Painter = (paint: Paint, ratio: number) => boolean;

export interface CanvasStage {
  setSize(size: Size): void;
  /** Paints a layer anew with the next frame. Nothing else of the stage is touched. */
  redraw(layer: LayerName): void;
  /** A cleared second canvas with the device pixels of the layers. */
  scratch(): Paint | null;
  destroy(): void;
}

/**
 * The Konva stage: four layers that do not listen, each with one shape that paints everything on it. Hits
 * are computed in image space, so Konva needs no hit canvases.
 */
export function createStage(container: HTMLDivElement, painters: Readonly<Record<LayerName, Painter>>): CanvasStage {
  const stage = new Konva.Stage({ container, width: 1, height: 1, listening: false });
  const layers = new Map<LayerName, InstanceType<typeof Konva.Layer>>();
  const again = new Set<LayerName>();
  let frame = 0;
  let ratio = window.devicePixelRatio || 1;
  let scratchCanvas: HTMLCanvasElement | null = null;

  for (const name of LAYERS) {
    const layer = new Konva.Layer({ listening: false });
    const shape = new Shape({
      listening: false,
      perfectDrawEnabled: false,
      sceneFunc(context) {
        const paint = context._context;
        paint.save();
        const done = painters[name](paint, ratio);
        paint.restore();
        if (!done) later(name);
      },
    });
    layer.add(shape);
    stage.add(layer);
    layers.set(name, layer);
  }

  function later(name: LayerName): void {
    again.add(name);
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      const waiting = [...again];
      again.clear();
      for (const layer of waiting) layers.get(layer)?.batchDraw();
    });
  }

  // The ratio changes when a window moves to another screen or the page is zoomed.
  let query: MediaQueryList | null = null;
  const followRatio = (): void => {
    ratio = window.devicePixelRatio || 1;
    for (const layer of layers.values()) layer.getCanvas().setPixelRatio(ratio);
    stage.batchDraw();
    query?.removeEventListener('change', followRatio);
    query = window.matchMedia(`(resolution: ${ratio}dppx)`);
    query.addEventListener('change', followRatio);
  };
  followRatio();

  return {
    setSize(size) {
      stage.size({ width: Math.max(1, size.width), height: Math.max(1, size.height) });
    },
    redraw: (name) => layers.get(name)?.batchDraw(),
    scratch() {
      const like = layers.get('overlay')?.getCanvas()._canvas;
      if (!like) return null;
      scratchCanvas ??= document.createElement('canvas');
      // Setting the size clears the canvas and its state.
      scratchCanvas.width = like.width;
      scratchCanvas.height = like.height;
      const paint = scratchCanvas.getContext('2d');
      paint?.scale(ratio, ratio);
      return paint;
    },
    destroy() {
      cancelAnimationFrame(frame);
      query?.removeEventListener('change', followRatio);
      stage.destroy();
    },
  };
}
