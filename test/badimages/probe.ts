import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toWireError } from '../../src/shared/errors.ts';
import { createEngine } from '../../src/main/inference/engine.ts';
import type { Inference } from '../../src/main/inference/inference.ts';
import { decodeRgb, decoderName, readHeader, thumbnail } from '../../src/main/inference/pixels.ts';

/**
 * Does to every file below a folder what the studio does: header, pixels, thumbnail, or a whole
 * prediction; one line of JSON each, and one about the process at the end. A process of its own, so
 * that a crash of the decoder is seen as one, and memory is its memory.
 *
 * Usage: node probe.ts FOLDER decode|predict EVERY-NTH
 */
export interface ProbeLine {
  readonly path: string;
  /** Of the oriented image by its header; null where refused. */
  readonly size: readonly [number, number] | null;
  readonly code: string | null;
  readonly reason: string | null;
}
export interface ProbeEnd {
  readonly decoder: string;
  readonly files: number;
  readonly peakMB: number;
}

const [folder = '', mode = '', nth = '1'] = process.argv.slice(2);

function filesBelow(path: string): string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const below = join(path, entry.name);
    return entry.isDirectory() ? filesBelow(below) : [below];
  });
}

async function decode(path: string): Promise<readonly [number, number]> {
  const header = await readHeader(path);
  const image = await decodeRgb(path);
  if (image.width !== header.width || image.height !== header.height) throw new Error('header and pixels differ in size');
  const small = await thumbnail(path, 256);
  if (small.length === 0) throw new Error('empty thumbnail');
  return [header.width, header.height];
}

async function predict(engine: Inference, path: string, next: string | null): Promise<readonly [number, number]> {
  const prediction = await engine.predict({ modelId: 'tiny-torchvision', path, priority: 'batch', next });
  for (const { rle } of prediction.instances) {
    if (rle.size[0] !== prediction.height || rle.size[1] !== prediction.width) throw new Error('a mask of another size');
  }
  return [prediction.width, prediction.height];
}

let peak = 0;
const engine =
  mode === 'predict' ? createEngine({ modelFolders: [fileURLToPath(new URL('../tiny-models', import.meta.url))], providers: 'cpu' }) : null;
const files = filesBelow(folder)
  .sort()
  .filter((_, i) => i % Number(nth) === 0);
for (const [i, path] of files.entries()) {
  let line: ProbeLine;
  try {
    const size = engine ? await predict(engine, path, files[i + 1] ?? null) : await decode(path);
    line = { path, size, code: null, reason: null };
  } catch (thrown) {
    const { code, message, detail } = toWireError(thrown);
    line = { path, size: null, code, reason: String(detail['reason'] ?? message) };
  }
  peak = Math.max(peak, process.memoryUsage.rss());
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
await engine?.close();
const end: ProbeEnd = { decoder: decoderName(), files: files.length, peakMB: Math.round(peak / 1e6) };
process.stdout.write(`${JSON.stringify(end)}\n`);
