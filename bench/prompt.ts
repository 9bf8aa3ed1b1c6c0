import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '../src/main/inference/engine.ts';
import { modelFolders } from '../src/main/local-studio.ts';
import { createStudio } from '../src/main/studio.ts';
import type { Row, Samples } from './measure.ts';
import type { BenchProject } from './project.ts';

const MODEL = 'sam2-hiera-tiny';

/**
 * A click, from the question's arrival in the studio until its masks are there as RLE, beside the bare run of
 * the decoder inside it; and how long an image takes to be ready for clicks, the first time and the second.
 */
export async function benchPrompt(project: BenchProject, rounds: number): Promise<Row[]> {
  const inference = createEngine({ modelFolders: modelFolders(), providers: process.env['MASKLOOP_PROVIDERS'] });
  const model = (await inference.models()).find(({ id }) => id === MODEL);
  if (model?.problem !== null) {
    await inference.close();
    return [];
  }
  const appFolder = await mkdtemp(join(tmpdir(), 'maskloop-prompt-'));
  const studio = createStudio({ inference, appFolder, host: 'command-line', decoder: 'bench', version: '0', pickFolder: null });
  const { handlers } = studio;
  try {
    await handlers['project.open']({ folder: project.folder, file: null });
    const { rows: images } = await handlers['images.list']({ offset: 0, limit: 2, search: '', states: [] });
    const ready = async (imageId: number): Promise<{ readonly ms: number; readonly cached: boolean }> => {
      const from = performance.now();
      const state = await new Promise<{ readonly cached: boolean | null }>((resolve, reject) => {
        const stop = studio.onEvent((name, told) => {
          if (name !== 'prompt.state' || told === null || !('state' in told) || !('imageId' in told) || told.imageId !== imageId) return;
          if (told.state === 'embedding') return;
          stop();
          if (told.state === 'failed') reject(new Error('the image could not be made ready'));
          else resolve({ cached: 'cached' in told ? told.cached : null });
        });
        void handlers['prompt.open']({ imageId, modelId: MODEL, ahead: [imageId] }).catch(reject);
      });
      return { ms: performance.now() - from, cached: state.cached === true };
    };
    const [first, second] = images;
    if (!first || !second) throw new Error('the bench project has too few images');
    const made = await ready(first.id);
    await ready(second.id);
    const found = await ready(first.id);
    if (made.cached || !found.cached) throw new Error('the second visit did not find the embedding of the first');

    const whole: number[] = [];
    const bare: number[] = [];
    const warm = 3;
    for (let round = 0; round < warm + rounds; round++) {
      const x = first.width * (0.2 + (0.6 * (round % 7)) / 6);
      const y = first.height * (0.2 + (0.6 * (round % 5)) / 4);
      const points = [{ x, y, positive: true }];
      const start = performance.now();
      const answer = await handlers['prompt.ask']({
        imageId: first.id,
        modelId: MODEL,
        points,
        box: null,
        refine: null,
        hover: false,
        finer: false,
      });
      const ms = performance.now() - start;
      if (round < warm) continue;
      whole.push(ms);
      bare.push(answer.runMs);
    }
    const { provider, threads } = inference.status();
    const note = `${provider ?? 'cpu'}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
    const samples = (name: string, ms: readonly number[]): Samples => ({ name, ms });
    return [
      {
        what: 'click to mask',
        ours: samples('prompt.ask, embedding there', whole),
        reference: samples('the session.run in it', bare),
        note,
      },
      {
        what: 'ready for clicks',
        ours: samples('second visit', [found.ms]),
        reference: samples('first visit', [made.ms]),
        note: `${note}; once each`,
      },
    ];
  } finally {
    await studio.close();
    await rm(appFolder, { recursive: true, force: true });
  }
}
