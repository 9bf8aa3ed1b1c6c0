/**
 * Writes drawn scenes as a COCO dataset:
 *
 *     node models/training/write-scenes.ts OUT --seed 1000000 --count 1600 [--width 640 --height 480] [--workers 2]
 *
 * OUT gets `images/scene-<seed>.jpg` and `annotations.json` (compressed RLE, category ids in the order of
 * SCENE_LABELS from 1). The scene's seed is the file's number, the JPEG quality (80..95) follows from it too.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import sharp from 'sharp';
import { encodeRle, rleArea, rleBox } from '../../src/shared/mask/rle.ts';
import type { Box, Rle } from '../../src/shared/records.ts';
import { SCENE_LABELS, drawScene } from '../../src/shared/scenes/index.ts';

interface Task {
  readonly out: string;
  readonly seeds: readonly number[];
  readonly width: number;
  readonly height: number;
}

interface Written {
  readonly image: { id: number; file_name: string; width: number; height: number };
  readonly annotations: {
    image_id: number;
    category_id: number;
    area: number;
    bbox: Box;
    iscrowd: 0;
    segmentation: Rle;
  }[];
}

async function write(task: Task): Promise<Written[]> {
  const written: Written[] = [];
  for (const seed of task.seeds) {
    const scene = drawScene(seed, { width: task.width, height: task.height });
    const name = `scene-${seed}.jpg`;
    await sharp(scene.rgb, { raw: { width: scene.width, height: scene.height, channels: 3 } })
      .jpeg({ quality: 80 + (seed % 16), chromaSubsampling: seed % 3 === 0 ? '4:4:4' : '4:2:0' })
      .toFile(join(task.out, 'images', name));
    written.push({
      image: { id: seed, file_name: name, width: scene.width, height: scene.height },
      annotations: scene.objects.map((object) => {
        const rle = encodeRle({ width: scene.width, height: scene.height, data: object.mask });
        const category = SCENE_LABELS.indexOf(object.label) + 1;
        return { image_id: seed, category_id: category, area: rleArea(rle), bbox: rleBox(rle), iscrowd: 0, segmentation: rle };
      }),
    });
  }
  return written;
}

function isTask(value: unknown): value is Task {
  return typeof value === 'object' && value !== null && 'seeds' in value && 'out' in value;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: '1000000' },
      count: { type: 'string', default: '1600' },
      width: { type: 'string', default: '640' },
      height: { type: 'string', default: '480' },
      workers: { type: 'string', default: '2' },
    },
  });
  const out = positionals[0];
  if (out === undefined) throw new Error('write-scenes: the folder to write to is missing');
  mkdirSync(join(out, 'images'), { recursive: true });
  const seeds = Array.from({ length: Number(values.count) }, (_, k) => Number(values.seed) + k);
  const workers = Math.max(1, Number(values.workers));
  const parts = await Promise.all(
    Array.from({ length: workers }, (_, w) => {
      const share: Task = { out, seeds: seeds.filter((_, k) => k % workers === w), width: Number(values.width), height: Number(values.height) };
      return new Promise<Written[]>((resolve, reject) => {
        const worker = new Worker(new URL(import.meta.url), { workerData: share });
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    }),
  );
  const all = parts.flat().sort((a, b) => a.image.id - b.image.id);
  const annotations = all.flatMap((item) => item.annotations).map((annotation, k) => ({ id: k + 1, ...annotation }));
  const categories = SCENE_LABELS.map((name, k) => ({ id: k + 1, name }));
  writeFileSync(join(out, 'annotations.json'), JSON.stringify({ images: all.map((item) => item.image), annotations, categories }));
  process.stdout.write(`${all.length} images, ${annotations.length} instances in ${out}\n`);
}

if (isMainThread) {
  await main();
} else {
  const task: unknown = workerData;
  if (!isTask(task)) throw new Error('write-scenes: the worker got no task');
  parentPort?.postMessage(await write(task));
}
