import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createBrightInference } from '../../test/bright-inference.ts';
import { makeStudio } from '../../test/make-studio.ts';
import { temporaryFolder } from '../../test/store-fixtures.ts';
import type { ExportProgress } from '../shared/answers.ts';
import type { Reply } from '../shared/errors.ts';
import { dispatch } from './dispatch.ts';
import { encodePng } from './inference/pixels.ts';
import type { Studio } from './studio.ts';

const root = temporaryFolder();
let round = 0;
let folder: string;
let out: string;
let studio: Studio;
let progress: ExportProgress[];
/** What a listener does on the first progress, in the middle of an export. */
let midway: () => void;

beforeEach(async () => {
  folder = join(root, `photos-${++round}`);
  out = join(root, `out-${round}`);
  mkdirSync(folder);
  const png = await encodePng(new Uint8Array(8 * 8 * 3), 8, 8, 3);
  for (let i = 0; i < 20; i++) writeFileSync(join(folder, `${i}.png`), png);
  studio = makeStudio(createBrightInference(), `${folder}-app`);
  progress = [];
  midway = () => undefined;
  studio.onEvent((name, payload) => {
    if (name === 'export.progress' && progress.push(payload as ExportProgress) === 1) midway();
  });
  await dispatch(studio, 'project.open', { folder });
  await studio.scanned();
});
afterEach(() => studio.close());

const run = (): Promise<Reply<unknown>> => dispatch(studio, 'export.coco', { out });

it('tells how far it is', async () => {
  expect(await run()).toMatchObject({ ok: true, value: { images: 20, emptyImages: 20 } });
  expect(progress[0]).toEqual({ stage: 'writing', done: 1, total: 20 });
});

it('stops when it is asked to, leaving nothing, and can be started again', async () => {
  midway = () => void dispatch(studio, 'export.cancel', {});
  expect(await run()).toMatchObject({ ok: false, error: { code: 'cancelled' } });
  expect(existsSync(out)).toBe(false);
  expect(await run()).toMatchObject({ ok: true });
  expect(await dispatch(studio, 'export.cancel', {})).toEqual({ ok: true, value: null });
});

it('stops when the app is closed, before the closing is done', async () => {
  let closed: Promise<void> = Promise.resolve();
  midway = () => {
    closed = studio.close().then(() => expect(existsSync(out)).toBe(false));
  };
  expect(await run()).toMatchObject({ ok: false, error: { code: 'cancelled' } });
  await closed;
});

it('refuses a second one meanwhile', async () => {
  const others: Promise<Reply<unknown>>[] = [];
  midway = () => void others.push(run());
  expect(await run()).toMatchObject({ ok: true });
  expect(await Promise.all(others)).toMatchObject([{ ok: false, error: { code: 'conflict' } }]);
});
