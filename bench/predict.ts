import { localInference } from '../src/main/local-studio.ts';
import type { Row, Samples } from './measure.ts';
import type { BenchProject } from './project.ts';

/**
 * A whole prediction (decode, prepare, run, masks to RLE) beside the bare `session.run` inside it, for each
 * Mask R-CNN that is ready, on the bench project's pictures. In one process, one after the other, so that
 * nothing overlaps: the ratio is the overhead around the model.
 */
export async function benchPredict(project: BenchProject, rounds: number): Promise<Row[]> {
  const inference = await localInference();
  const rows: Row[] = [];
  try {
    for (const model of await inference.models()) {
      if (model.problem !== null || model.family !== 'mask-rcnn') continue;
      const whole: number[] = [];
      const bare: number[] = [];
      let instances = 0;
      let provider = '';
      const warm = 2;
      for (let round = 0; round < warm + rounds; round++) {
        const path = project.paths[round % project.paths.length] ?? '';
        const start = performance.now();
        const prediction = await inference.predict({ modelId: model.id, path, priority: 'user', next: null });
        const ms = performance.now() - start;
        if (round < warm) continue;
        whole.push(ms);
        bare.push(prediction.runMs);
        instances += prediction.instances.length;
        provider = prediction.provider;
      }
      const ours: Samples = { name: `predict, ${model.id} ${model.version}`, ms: whole };
      const reference: Samples = { name: 'the session.run in it', ms: bare };
      const { threads } = inference.status();
      const note = `${provider}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${(instances / rounds).toFixed(0)} instances an image`;
      rows.push({ what: 'prediction', ours, reference, note });
    }
  } finally {
    await inference.close();
  }
  return rows;
}
