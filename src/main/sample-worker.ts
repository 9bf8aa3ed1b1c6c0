import { parentPort } from 'node:worker_threads';
import type { SampleScene } from '../shared/scenes/index.ts';
import { drawScene } from '../shared/scenes/index.ts';

/** Draws scenes in a thread of its own: a second of pure computation each. One answer per question. */
parentPort?.on('message', ({ seed, width, height }: SampleScene) => {
  const { rgb } = drawScene(seed, { width, height });
  const bytes = new Uint8Array(rgb);
  parentPort?.postMessage(bytes, [bytes.buffer]);
});
