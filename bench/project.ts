import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../src/main/store/store.ts';
import { openStore } from '../src/main/store/store.ts';
import { encodeJpeg } from '../src/main/inference/pixels.ts';
import { EMPTY_DIFF } from '../src/shared/diff.ts';
import { contourOfRle } from '../src/shared/mask/contour.ts';
import { encodeRle } from '../src/shared/mask/rle.ts';
import type { Annotation, Geometry } from '../src/shared/records.ts';
import { drawScene, SCENE_LABELS } from '../src/shared/scenes/index.ts';

/** Pictures of a bench project and its size each. */
const SIZE = { width: 1600, height: 1200 };
const FIRST_SEED = 9_000_000;

export interface BenchProject {
  readonly folder: string;
  readonly store: Store;
  readonly imageIds: readonly number[];
  readonly paths: readonly string[];
  readonly annotations: number;
}

/** Draws scenes, writes them as JPEGs, and makes a project of them with their exact masks, half as polygons. */
export async function makeProject(folder: string, scenes: number): Promise<BenchProject> {
  await mkdir(folder, { recursive: true });
  const store = openStore(join(folder, 'project.sqlite'));
  const labels = store.labels.ensure(SCENE_LABELS);
  const paths: string[] = [];
  const imageIds: number[] = [];
  let annotations = 0;
  for (let i = 0; i < scenes; i++) {
    const scene = drawScene(FIRST_SEED + i, SIZE);
    const name = `scene-${i}.jpg`;
    const path = join(folder, name);
    await writeFile(path, await encodeJpeg({ width: scene.width, height: scene.height, data: scene.rgb }, 92));
    const sha256 = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    const { size, mtimeMs } = await stat(path);
    const [imageId = 0] = store.images.add([
      {
        path: name,
        width: scene.width,
        height: scene.height,
        orientation: 1,
        bytes: size,
        modifiedMs: Math.round(mtimeMs),
        sha256,
        error: null,
      },
    ]);
    const added = scene.objects.map(({ label, mask }, z): Annotation => {
      const rle = encodeRle({ width: scene.width, height: scene.height, data: mask });
      const geometry: Geometry = z % 2 === 0 ? { kind: 'mask', rle } : { kind: 'polygon', parts: contourOfRle(rle) };
      return { id: randomUUID(), labelId: labels.get(label) ?? 0, geometry, z, crowd: false, origin: 'drawn', suggestionId: null };
    });
    store.documents.apply(imageId, 0, { ...EMPTY_DIFF, added });
    annotations += added.length;
    paths.push(path);
    imageIds.push(imageId);
  }
  return { folder, store, imageIds, paths, annotations };
}
