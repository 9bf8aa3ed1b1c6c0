import { parentPort } from 'node:worker_threads';
import { cutOut } from '../shared/cutout/compose.ts';
import { drawOverlay } from '../shared/views/overlay.ts';
import { interLettering } from './lettering.ts';
import type { Drawing } from './render-thread.ts';

/** Draws and cuts out in a thread of its own: pure computation, seconds for a large image. One answer per question. */
parentPort?.on('message', (drawing: Drawing) => {
  if (drawing.kind === 'overlay') {
    const { pixels, text, view, instances, labels } = drawing;
    drawOverlay(pixels, { view, instances, labels, lettering: text ? interLettering() : null });
    answer(pixels.data, { ...pixels, channels: 3 });
  } else {
    const cut = cutOut(drawing.rgb, drawing.mask, drawing.softPx, drawing.ground, drawing.frame, drawing.soft);
    answer(cut.data, cut);
  }
});

function answer(data: Uint8Array, value: unknown): void {
  parentPort?.postMessage(value, data.buffer instanceof ArrayBuffer ? [data.buffer] : []);
}
