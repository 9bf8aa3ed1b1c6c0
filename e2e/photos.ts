import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeJpeg } from '../src/main/inference/pixels.ts';
import { drawScene, SAMPLE_SCENES } from '../src/shared/scenes/index.ts';

/** Writes the first `howMany` sample scenes as JPEGs. Answers with their names. */
export async function writePhotos(folder: string, howMany: number): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const names: string[] = [];
  for (const { name, seed, width, height } of SAMPLE_SCENES.slice(0, howMany)) {
    const scene = drawScene(seed, { width, height });
    await writeFile(join(folder, name), await encodeJpeg({ width: scene.width, height: scene.height, data: scene.rgb }, 92));
    names.push(name);
  }
  return names;
}
