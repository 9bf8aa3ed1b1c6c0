import { randomUUID } from 'node:crypto';
import { NO_INFERENCE } from '../test/no-inference.ts';
import { dispatch } from '../src/main/dispatch.ts';
import { createStudio } from '../src/main/studio.ts';
import type { CallInput, CallName, CallOutput } from '../src/shared/contract.ts';
import type { Reply } from '../src/shared/errors.ts';
import { fromWireError } from '../src/shared/errors.ts';
import { encodeRle } from '../src/shared/mask/rle.ts';
import { drawScene, SAMPLE_SCENES, SCENE_LABELS } from '../src/shared/scenes/index.ts';
import { writePhotos } from './photos.ts';

/** Writes sample scenes with a project in which every object is annotated exactly and every image is done. */
export async function writeAnnotated(folder: string, howMany: number, appFolder: string): Promise<void> {
  const names = await writePhotos(folder, howMany);
  const studio = createStudio({
    inference: NO_INFERENCE,
    appFolder,
    host: 'command-line',
    decoder: 'test',
    version: '1',
    pickFolder: null,
  });
  const call = async <N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> => {
    const reply = (await dispatch(studio, name, input)) as Reply<CallOutput<N>>;
    if (!reply.ok) throw fromWireError(reply.error);
    return reply.value;
  };
  try {
    await call('project.open', { folder });
    const labels = new Map<string, number>();
    for (const name of SCENE_LABELS) labels.set(name, (await call('labels.create', { name })).id);
    const { rows } = await call('images.list', { offset: 0, limit: 1000 });
    for (const { id, path } of rows) {
      const scene = SAMPLE_SCENES[names.indexOf(path)];
      if (!scene) continue;
      const { width, height, objects } = drawScene(scene.seed, scene);
      const added = objects.map(({ label, mask }, z) => ({
        id: randomUUID(),
        labelId: labels.get(label) ?? 0,
        geometry: { kind: 'mask' as const, rle: encodeRle({ width, height, data: mask }) },
        z,
        crowd: false,
        origin: 'drawn' as const,
        suggestionId: null,
      }));
      await call('document.apply', { imageId: id, base: 0, diff: { added, removed: [], updated: [], decided: [] } });
    }
    await call('images.setState', { imageIds: rows.map(({ id }) => id), state: 'done' });
  } finally {
    await studio.close();
  }
}
