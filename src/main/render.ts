import { resolve } from 'node:path';
import type { RenderReport } from '../shared/answers/views.ts';
import type { RenderOptions } from '../shared/calls/views.ts';
import { AppError } from '../shared/errors.ts';
import type { ImageDocument, ImageRecord, Label } from '../shared/records.ts';
import { classMap } from '../shared/views/class-map.ts';
import { rgbOf } from '../shared/views/coverage.ts';
import { shownInstances } from '../shared/views/scene.ts';
import { decodeRgb, encodePng } from './inference/pixels.ts';
import { pathOf } from './jobs.ts';
import { createPictureFiles, isMeant, pictureStems, takenReason } from './render-files.ts';
import { encodeIndexedPng } from './render-indexed.ts';
import type { RenderThread } from './render-thread.ts';
import { createRenderThread } from './render-thread.ts';

/** What pictures are made from. */
export interface PictureSource {
  /** Absolute path of the images' folder; only read. */
  readonly folder: string;
  readonly labels: readonly Label[];
  images(): Iterable<ImageRecord>;
  document(imageId: number): ImageDocument;
}

/**
 * Writes each image with one of the four views drawn over it, as PNG of the image's own size, into
 * `options.out`; with `indexed` the semantic view's class numbers as a palette PNG and `classes.txt` beside.
 * An image that can't be read, or a file that is there already, is listed and the rest goes on.
 * Throws AppError `cancelled`, `io` (the folder or the disk) and `unsupported` (too many classes).
 */
export async function renderOverlays(
  source: PictureSource,
  options: RenderOptions,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<RenderReport> {
  const started = performance.now();
  const out = resolve(options.out);
  const files = createPictureFiles(out, options.overwrite);
  const all = [...source.images()];
  const stems = pictureStems(all);
  const wanted = all.filter(({ id, path }) => isMeant(path, options.pattern) && (!options.imageIds || options.imageIds.includes(id)));
  const skipped: { path: string; reason: string }[] = [];
  const thread = createRenderThread(signal);
  try {
    for (const [done, image] of wanted.entries()) {
      onProgress(done, wanted.length);
      if (signal.aborted)
        throw new AppError('cancelled', `Cancelled after ${files.written.length} of ${wanted.length} pictures, which stay in ${out}.`, {
          out,
        });
      const name = `${stems.get(image.id) ?? image.path}.png`;
      const reason = image.error ?? (files.isTaken(name) ? takenReason(name) : null);
      if (reason !== null) {
        skipped.push({ path: image.path, reason });
        continue;
      }
      try {
        await files.write(name, await render(thread, source, image, options));
      } catch (thrown) {
        if (!(thrown instanceof AppError) || thrown.detail['reason'] === undefined) throw thrown;
        skipped.push({ path: image.path, reason: String(thrown.detail['reason']) });
      }
    }
  } finally {
    await thread.close();
  }
  if (options.indexed && files.written.length > 0) await writeClasses(source.labels, options);
  onProgress(wanted.length, wanted.length);
  return { out, files: files.written, skipped, ms: Math.round(performance.now() - started) };
}

async function render(thread: RenderThread, source: PictureSource, image: ImageRecord, options: RenderOptions): Promise<Buffer> {
  const instances = shownInstances(source.document(image.id), options.minScore);
  const { labels } = source;
  if (options.indexed) {
    const map = classMap(instances, labels, image.width, image.height);
    return encodeIndexedPng(map, image.width, image.height, [[0, 0, 0], ...labels.map((label) => rgbOf(label.color))]);
  }
  const pixels = await decodeRgb(pathOf(source.folder, image));
  const drawn = await thread.draw({ kind: 'overlay', pixels, view: options.view, instances, labels, text: options.text });
  return encodePng(drawn.data, drawn.width, drawn.height, 3);
}

/** Which number of an index PNG is which class; a fresh export of the same project says the same. */
async function writeClasses(labels: readonly Label[], { out }: RenderOptions): Promise<void> {
  const lines = ['0 (none)', ...labels.map((label, i) => `${i + 1} ${label.name}`)];
  await createPictureFiles(resolve(out), true).write('classes.txt', Buffer.from(`${lines.join('\n')}\n`));
}
