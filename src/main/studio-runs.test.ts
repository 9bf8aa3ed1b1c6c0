import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { processKilled } from '../../test/bright-inference.ts';
import { adding, annotation, containing } from '../../test/store-fixtures.ts';
import { all, call, folder, inference, start, studio, told } from '../../test/studio-fixture.ts';

describe('a run', () => {
  it('keeps suggestions of every image, makes the classes, and touches no instance', async () => {
    await call('project.open', { folder });
    const run = await call('predict.start', { modelId: 'bright', scope: { kind: 'folder', untouched: true } });
    expect(run).toMatchObject({ state: 'running', total: 4, modelId: 'bright', modelVersion: '1.0' });
    expect(await studio.runEnded(run.id)).toMatchObject({
      state: 'done',
      total: 4,
      finished: 4,
      failed: 0,
      suggestions: 8,
      provider: 'cpu',
      msLeft: null,
    });
    expect((await call('labels.list', {})).map((l) => l.name)).toEqual(['lamp', 'light']);
    const { rows } = await call('images.list', all);
    expect(rows.map((r) => [r.path, r.state, r.pending, r.annotations])).toEqual([1, 2, 3, 4].map((i) => [`${i}.jpg`, 'predicted', 2, 0]));
    const document = await call('document.load', { imageId: 1 });
    expect(document.suggestions.map((s) => [s.labelId, s.box])).toContainEqual([1, [8, 8, 12, 12]]);
    expect(await call('labels.counts', {})).toEqual([
      { labelId: 1, annotations: 0, pending: 4, images: 0 },
      { labelId: 2, annotations: 0, pending: 4, images: 0 },
    ]);
    expect(inference.asked.map((r) => [r.priority, r.next && basename(r.next)])).toEqual([
      ['batch', '2.jpg'],
      ['batch', '3.jpg'],
      ['batch', '4.jpg'],
      ['batch', null],
    ]);
    expect(told.filter((t) => t.name === 'suggestions.changed')).toHaveLength(4);
    expect(told.filter((t) => t.name === 'run.progress').at(-1)?.payload).toMatchObject({ state: 'done', finished: 4 });
  });

  it('runs on one image before the batch, as the user waits for it', async () => {
    await call('project.open', { folder });
    const run = await call('predict.start', { modelId: 'bright', scope: { kind: 'images', imageIds: [3] } });
    await studio.runEnded(run.id);
    expect(inference.asked).toEqual([{ modelId: 'bright', path: join(folder, '3.jpg'), priority: 'user', next: null, options: {} }]);
  });

  it('lists an image that fails, with its reason, and goes on', async () => {
    writeFileSync(join(folder, '2b.jpg'), 'no picture');
    await call('project.open', { folder });
    inference.before = ({ path }) => {
      if (path.endsWith('3.jpg')) throw processKilled();
    };
    const run = await call('predict.start', { modelId: 'bright', scope: { kind: 'folder', untouched: false } });
    expect(await studio.runEnded(run.id)).toMatchObject({ state: 'done', total: 5, finished: 5, failed: 2, suggestions: 6 });
    const failures = await call('runs.failures', { runId: run.id });
    expect(failures.map((f) => f.path)).toEqual(['2b.jpg', '3.jpg']);
    expect(failures[1]?.reason).toMatch(/inference process stopped/);
    // Annotating goes on.
    const label = (await call('labels.list', {}))[0]?.id ?? 0;
    const saved = await call('document.apply', {
      imageId: failures[1]?.imageId ?? 0,
      base: 0,
      diff: adding(annotation('one', label)),
    });
    expect(saved.revision).toBe(1);
  });

  it('ends as failed when the engine fails again and again, and can be resumed', async () => {
    await call('project.open', { folder });
    inference.before = () => {
      throw processKilled();
    };
    const run = await call('predict.start', { modelId: 'bright', scope: { kind: 'folder', untouched: true } });
    expect(await studio.runEnded(run.id)).toMatchObject({
      state: 'failed',
      finished: 3,
      failed: 3,
      message: containing('3 images failed'),
    });
    inference.before = () => undefined;
    await call('predict.resume', { runId: run.id });
    expect(await studio.runEnded(run.id)).toMatchObject({ state: 'done', finished: 4, failed: 3, suggestions: 2 });
  });

  it('stops when cancelled, keeps what was done, and goes on from there', async () => {
    await call('project.open', { folder });
    let waiting: () => void = () => undefined;
    const third = new Promise<void>((resolve) => (waiting = resolve));
    inference.before = async ({ path }, signal) => {
      if (!path.endsWith('3.jpg')) return;
      waiting();
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));
    };
    const run = await call('predict.start', { modelId: 'bright', scope: { kind: 'folder', untouched: true } });
    await third;
    expect(await call('predict.cancel', { runId: run.id })).toMatchObject({ state: 'cancelled', finished: 2, failed: 0 });
    inference.before = () => undefined;
    inference.asked.length = 0;
    await call('predict.resume', { runId: run.id });
    expect(await studio.runEnded(run.id)).toMatchObject({ state: 'done', finished: 4, failed: 0 });
    expect(inference.asked.map((r) => basename(r.path))).toEqual(['3.jpg', '4.jpg']);
    await expect(call('predict.resume', { runId: run.id })).rejects.toMatchObject({ code: 'conflict' });
  });

  it('goes on after the studio was closed in the middle, but not with another version of the model', async () => {
    await call('project.open', { folder });
    let waiting: () => void = () => undefined;
    const second = new Promise<void>((resolve) => (waiting = resolve));
    inference.before = async ({ path }, signal) => {
      if (!path.endsWith('2.jpg')) return;
      waiting();
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));
    };
    const { id } = await call('predict.start', { modelId: 'bright', scope: { kind: 'folder', untouched: true } });
    await second;
    await studio.close();
    inference.before = () => undefined;
    start();
    await call('project.open', { folder });
    expect(await call('runs.list', {})).toMatchObject([{ id, state: 'interrupted', finished: 1 }]);
    inference.version = '2.0';
    await expect(call('predict.resume', { runId: id })).rejects.toMatchObject({ code: 'conflict' });
    inference.version = '1.0';
    await call('predict.resume', { runId: id });
    expect(await studio.runEnded(id)).toMatchObject({ state: 'done', finished: 4 });
  });

  it('refuses a model that is not there or cannot be used, before anything is written', async () => {
    await call('project.open', { folder });
    const scope = { kind: 'folder', untouched: true } as const;
    await expect(call('predict.start', { modelId: 'nope', scope })).rejects.toMatchObject({ code: 'not-found' });
    await expect(call('predict.start', { modelId: 'lost', scope })).rejects.toMatchObject({
      code: 'model-load',
      message: containing('model.onnx'),
    });
    expect(await call('runs.list', {})).toEqual([]);
  });
});
