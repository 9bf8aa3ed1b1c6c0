import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { callStudio } from '../src/main/dispatch.ts';
import type { Studio } from '../src/main/studio.ts';
import type { CallInput, CallName, CallOutput, EventName } from '../src/shared/contract.ts';
import type { BrightInference } from './bright-inference.ts';
import { brightPhoto, createBrightInference } from './bright-inference.ts';
import { makeStudio } from './make-studio.ts';
import { temporaryFolder } from './store-fixtures.ts';

/** A studio over a folder of four photographs, both new for each test of a file that imports this. */
export const root = temporaryFolder();
let scenes = 0;
export let folder: string;
export let appFolder: string;
export let inference: BrightInference;
export let studio: Studio;
/** What the studio of now has told, in order. */
export let told: { name: EventName; payload: unknown }[];

/** Another studio over the same folders, as after a restart. */
export function start(): void {
  const made = makeStudio(inference, appFolder);
  told = [];
  made.onEvent((name, payload) => told.push({ name, payload }));
  studio = made;
}

export const call = <N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> => callStudio(studio, name, input);

beforeEach(async () => {
  folder = join(root, `photos-${++scenes}`);
  appFolder = `${folder}-app`;
  mkdirSync(folder);
  for (let i = 1; i <= 4; i++) writeFileSync(join(folder, `${i}.jpg`), await brightPhoto(180 + 10 * i));
  inference = createBrightInference();
  start();
});
afterEach(() => studio.close());

/** The first page of anything. */
export const all = { offset: 0, limit: 100 };
