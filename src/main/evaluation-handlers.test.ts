import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { all, call, folder, studio } from '../../test/studio-fixture.ts';
import { acceptAbove } from '../shared/accept.ts';
import type { EvaluationOptions } from '../shared/calls/evaluation.ts';

/** Predicts the folder and accepts everything on the first `accepted` images, which are then done. */
async function predicted(accepted: number): Promise<{ runId: number; imageIds: number[] }> {
  await call('project.open', { folder });
  await studio.scanned();
  const run = await call('predict.start', { modelId: 'bright', scope: { kind: 'folder', untouched: false } });
  await studio.runEnded(run.id);
  const imageIds = (await call('images.list', all)).rows.map(({ id }) => id);
  for (const imageId of imageIds.slice(0, accepted)) {
    const document = await call('document.load', { imageId });
    const diff = acceptAbove(document, 0, () => `a-${imageId}-${Math.random()}`);
    await call('document.apply', { imageId, base: document.revision, diff });
    await call('images.setState', { imageIds: [imageId], state: 'done' });
  }
  return { runId: run.id, imageIds };
}

const options = (source: EvaluationOptions['source']) => ({ source, split: null });

it('finds what was accepted, on done images only, and says what it left out', async () => {
  const { runId } = await predicted(2);
  const report = await call('evaluation.run', options({ kind: 'run', runId }));
  expect(report).toMatchObject({ images: 2, left: { state: 2, split: 0, notPredicted: 0, unreadable: 0 } });
  expect(report.truths).toBe(report.detections);
  expect(report.segm.figures.AP).toBeCloseTo(1, 9);
  const look = await call('evaluation.look', { id: report.id, minScore: 0 });
  expect(look).toMatchObject({ fp: 0, fn: 0, tp: report.truths });
  const { total, rows } = await call('evaluation.cases', { id: report.id, minScore: 0, outcome: 'tp' });
  expect(total).toBe(report.truths);
  expect(rows[0]?.iou).toBe(1);
  expect(rows[0]?.truthRings).toEqual(rows[0]?.detectionRings);
  // The same by the model's name.
  const byModel = await call('evaluation.run', options({ kind: 'model', modelId: 'bright' }));
  expect(byModel.segm).toEqual(report.segm);
  await expect(call('evaluation.look', { id: report.id })).rejects.toMatchObject({ code: 'not-found' });
});

it('counts everything on images that are not annotated as wrongly found, where they are asked for', async () => {
  const { runId } = await predicted(1);
  const report = await call('evaluation.run', { ...options({ kind: 'run', runId }), states: [] });
  expect(report.images).toBe(4);
  const look = await call('evaluation.look', { id: report.id, minScore: 0 });
  expect(look.tp).toBe(report.truths);
  expect(look.fp).toBe(report.detections - report.truths);
  const { rows } = await call('evaluation.cases', { id: report.id, minScore: 0, outcome: 'fp', limit: 500 });
  expect(rows.every((row) => row.annotationId === null && row.truthRings.length === 0 && row.detectionRings.length > 0)).toBe(true);
});

it('evaluates the results file of a run as the run itself, and one of other names by its ids', async () => {
  const { runId } = await predicted(3);
  const file = join(folder, 'results.json');
  await call('runs.writeResults', { runId, file });
  const own = await call('evaluation.run', options({ kind: 'run', runId }));
  const read = await call('evaluation.run', options({ kind: 'file', path: file }));
  expect(read.segm).toEqual(own.segm);
  expect(read.bbox).toEqual(own.bbox);
  const nameless = (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>[]).map(
    ({ file_name: _file, category_name: _category, ...rest }) => rest,
  );
  writeFileSync(file, JSON.stringify(nameless));
  expect((await call('evaluation.run', options({ kind: 'file', path: file }))).segm).toEqual(own.segm);
  const strange = join(folder, 'strange.json');
  writeFileSync(strange, JSON.stringify([{ image_id: 999, category_id: 1, score: 1, bbox: [0, 0, 2, 2] }]));
  await expect(call('evaluation.run', options({ kind: 'file', path: strange }))).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('None of the 1 detections') as string,
  });
});

it('says what is missing where there is nothing to evaluate', async () => {
  const { runId } = await predicted(0);
  await expect(call('evaluation.run', options({ kind: 'run', runId }))).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('4 are not done') as string,
  });
  await expect(call('evaluation.run', options({ kind: 'run', runId: 77 }))).rejects.toMatchObject({ code: 'not-found' });
  await expect(call('evaluation.run', { ...options({ kind: 'run', runId }), split: 'val', states: [] })).rejects.toMatchObject({
    message: expect.stringContaining('There is no split “val”') as string,
  });
});
