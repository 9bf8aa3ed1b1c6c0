import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createCatalog } from '../src/main/inference/catalog.ts';
import { FAMILIES } from '../src/main/inference/families/families.ts';
import type { InputTensor } from '../src/main/inference/families/family.ts';
import { beginDecoding } from '../src/main/inference/pixels.ts';
import { sessionFile } from '../src/main/inference/session-file.ts';
import { createSessions } from '../src/main/inference/sessions.ts';
import { localInference, modelFolders } from '../src/main/local-studio.ts';
import { createStudio } from '../src/main/studio.ts';
import { sharedHas, sharedPath } from '../test/shared-data.ts';
import type { Row } from './measure.ts';
import type { BenchProject } from './project.ts';

/** Images that are measured at once: long enough to overlap, short enough that both sides see the same machine. */
const BLOCK = 10;

/**
 * A folder predicted as the command line does it (decode, prepare, run, masks, one transaction an image) beside the bare
 * runs of ONNX Runtime on the same images' tensors, prepared before; in turn, ten images each. With yolo11n-seg on the 160
 * photographs beside the checkout where both are there, else with a model of ours on drawn scenes. The note says how much
 * memory the process held after the 20th image and at the end.
 */
export async function benchThroughput(drawn: BenchProject, blocks: number): Promise<Row[]> {
  const folder = join(drawn.folder, 'throughput');
  await mkdir(folder);
  const paths = await photos(drawn.paths);
  for (const path of paths) await copyFile(path, join(folder, basename(path)));

  const catalog = createCatalog(modelFolders());
  const ready = (await catalog.list()).filter((entry) => entry.problem === null).map((entry) => entry.id);
  const modelId = ready.includes('yolo11n-seg') ? 'yolo11n-seg' : 'mask-rcnn-scenes';
  const model = await catalog.use(modelId);
  if (model.manifest.family === 'sam') throw new Error(`${modelId} answers prompts`);
  const family = FAMILIES[model.manifest.family];
  const { manifest } = model;

  const inference = await localInference();
  const { threads } = inference.status();
  const sessions = createSessions({ providers: process.env['MASKLOOP_PROVIDERS'], threads, tell: () => undefined });
  const studio = createStudio({
    inference,
    appFolder: join(drawn.folder, 'app'),
    host: 'command-line',
    decoder: '',
    version: '',
    pickFolder: null,
  });
  const { handlers } = studio;
  try {
    await handlers['project.open']({ folder, file: null });
    await studio.scanned();
    const { rows: images } = await handlers['images.list']({ offset: 0, limit: 1000, search: '', states: [] });
    const session = await sessions.open(sessionFile(model, 'model'));

    const predict = async (rows: typeof images): Promise<number> => {
      const start = performance.now();
      const run = await handlers['predict.start']({ modelId, scope: { kind: 'images', imageIds: rows.map((row) => row.id) } });
      const ended = await studio.runEnded(run.id);
      if (ended.state !== 'done' || ended.failed > 0) throw new Error(ended.message ?? `${ended.failed} images failed`);
      return (performance.now() - start) / rows.length;
    };
    const bare = async (rows: typeof images): Promise<number> => {
      const feeds: Readonly<Record<string, InputTensor>>[] = [];
      for (const row of rows) {
        const { header, pixels } = await beginDecoding(join(folder, row.path), family.decodeLimit(manifest));
        feeds.push(family.prepare(manifest, await pixels, header).feeds);
      }
      const start = performance.now();
      for (const feed of feeds) await sessions.run(session, feed);
      return (performance.now() - start) / rows.length;
    };

    await predict(images.slice(0, BLOCK));
    await bare(images.slice(0, BLOCK));
    const ours: number[] = [];
    const reference: number[] = [];
    for (let block = 0; block < blocks; block++) {
      const at = (block * BLOCK) % Math.max(1, images.length - BLOCK + 1);
      const rows = images.slice(at, at + BLOCK);
      ours.push(await predict(rows));
      reference.push(await bare(rows));
    }

    let seen = 0;
    let early = 0;
    const stop = studio.onEvent((name) => {
      if (name === 'suggestions.changed' && ++seen === 20) early = process.memoryUsage.rss();
    });
    await predict(images);
    stop();
    const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`;
    const memory = seen > 20 ? `; memory ${megabytes(early)} after 20 images, ${megabytes(process.memoryUsage.rss())} after ${seen}` : '';
    const share = sum(reference) / sum(ours);
    return [
      {
        what: 'folder',
        ours: { name: `an image of a run, ${modelId}`, ms: ours },
        reference: { name: 'the bare run of ONNX Runtime', ms: reference },
        note: `throughput ${share.toFixed(2)} of the bare runs; ${session.provider}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, blocks of ${BLOCK} images of ${images.length}${memory}`,
      },
    ];
  } finally {
    await sessions.close();
    await studio.close();
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

async function photos(drawn: readonly string[]): Promise<readonly string[]> {
  const place = 'data/coco/coco-tiny';
  if (!sharedHas(place)) return drawn;
  const entries = await readdir(sharedPath(place), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.name.endsWith('.jpg')).map((entry) => join(entry.parentPath, entry.name));
}
