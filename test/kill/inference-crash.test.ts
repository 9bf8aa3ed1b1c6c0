import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { ChildChannel } from '../../src/main/inference/channel.ts';
import { forkChannel } from '../../src/main/inference/channel.ts';
import { encodeJpeg } from '../../src/main/inference/pixels.ts';
import { createRemoteInference } from '../../src/main/inference/remote.ts';
import { createStudio } from '../../src/main/studio.ts';
import { drawScene } from '../../src/shared/scenes/index.ts';
import { adding, annotation, matching, temporaryFolder } from '../store-fixtures.ts';

it('fails the image it worked on, starts again, and goes on, while annotating goes on', async () => {
  const folder = join(temporaryFolder(), 'photos');
  mkdirSync(folder);
  for (let i = 1; i <= 4; i++) {
    const { width, height, rgb } = drawScene(4_000_000 + i, { width: 320, height: 240 });
    writeFileSync(join(folder, `${i}.jpg`), await encodeJpeg({ width, height, data: rgb }));
  }
  const started: ChildChannel[] = [];
  const inference = createRemoteInference({
    spawn() {
      const channel = forkChannel();
      started.push(channel);
      return channel;
    },
    modelFolders: [fileURLToPath(new URL('../../models', import.meta.url))],
    providers: 'cpu',
    threads: 1,
    backOffMs: [50],
  });
  const studio = createStudio({ inference, appFolder: `${folder}-app`, host: 'browser', decoder: 'test', version: '0', pickFolder: null });
  const { handlers } = studio;
  try {
    await handlers['project.open']({ folder, file: null });
    await studio.scanned();
    let killed = false;
    const editing = new Promise<number>((resolve, reject) => {
      studio.onEvent((name) => {
        if (name !== 'suggestions.changed' || killed) return;
        killed = true;
        // The next image has been asked by now, or is about to be.
        setTimeout(() => {
          started.at(-1)?.kill();
          const diff = adding(annotation('meanwhile', 1, { geometry: { kind: 'box', box: [5, 5, 50, 40] } }));
          handlers['document.apply']({ imageId: 4, base: 0, diff }).then((saved) => resolve(saved.revision), reject);
        }, 20);
      });
    });
    const run = await handlers['predict.start']({ modelId: 'mask-rcnn-scenes', scope: { kind: 'folder', untouched: true } });
    const ended = await studio.runEnded(run.id);
    expect(await editing).toBe(1);
    expect(ended).toMatchObject({ state: 'done', total: 4, finished: 4, failed: 1 });
    expect(ended.suggestions).toBeGreaterThan(0);
    expect(await handlers['runs.failures']({ runId: run.id })).toMatchObject([
      { imageId: 2, path: '2.jpg', reason: matching(/inference process stopped.*SIGKILL/) },
    ]);
    expect(started).toHaveLength(2);
    const { rows } = await handlers['images.list']({ offset: 0, limit: 10, search: '', states: [] });
    expect(rows.map((r) => r.state)).toEqual(['predicted', 'new', 'predicted', 'in-progress']);
    expect(rows[3]).toMatchObject({ annotations: 1, revision: 1 });
  } finally {
    await studio.close();
  }
}, 300_000);
