import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { drawScene, SAMPLE_SCENES } from '../shared/scenes/index.ts';
import { encodeJpeg } from './inference/pixels.ts';

/**
 * Writes the sample project's pictures as JPEGs into `folder`, which is made where it is absent.
 * Pictures that are there are left alone. `onProgress` is told how many of how many are there.
 * Answers with the paths of the files.
 */
export async function writeSample(
  folder: string,
  onProgress: (done: number, total: number) => void = () => undefined,
  signal?: AbortSignal,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const files: string[] = [];
  for (const { name, seed, width, height } of SAMPLE_SCENES) {
    signal?.throwIfAborted();
    const file = join(folder, name);
    if (!existsSync(file)) {
      const scene = drawScene(seed, { width, height });
      const jpeg = await encodeJpeg({ width: scene.width, height: scene.height, data: scene.rgb }, 92);
      await writeFile(`${file}.partial`, jpeg);
      await rename(`${file}.partial`, file);
      // Drawing is pure computation: let calls and events through between two pictures.
      await setImmediate();
    }
    files.push(file);
    onProgress(files.length, SAMPLE_SCENES.length);
  }
  return files;
}
