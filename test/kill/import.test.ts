import { spawn } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { verifyProject } from '../../src/main/store/replay.ts';
import { openStore } from '../../src/main/store/store.ts';
import { scanned, temporaryFolder } from '../store-fixtures.ts';

const program = fileURLToPath(new URL('importing.ts', import.meta.url));
const IMAGES = 50;
/** More than one step of the commit. */
const INSTANCES = 24_000;
/** When the process is killed, in ms after it has read; the last one is let live. */
const DELAYS = [0, 30, 120, null];

/** Imports in a process of its own and may kill it; answers with whether the end of the commit was told. */
async function importAndKill(file: string, place: string, delayMs: number | null): Promise<boolean> {
  const child = spawn(process.execPath, [program, file, place], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let done = false;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'read' && delayMs !== null) void sleep(delayMs).then(() => child.kill('SIGKILL'));
    if (line === 'done') done = true;
  }
  await exited;
  return done;
}

it('takes a dataset whole or not at all, wherever the process is killed', async () => {
  const folder = temporaryFolder();
  const file = join(folder, '.maskloop', 'project.db');
  const store = openStore(file);
  store.images.add(Array.from({ length: IMAGES }, (_, i) => scanned(`${i}.jpg`)));
  store.close();
  const place = join(folder, 'dataset.json');
  writeFileSync(
    place,
    JSON.stringify({
      images: Array.from({ length: IMAGES }, (_, i) => ({ id: i + 1, file_name: `${i}.jpg`, width: 64, height: 48 })),
      annotations: Array.from({ length: INSTANCES }, (_, i) => {
        const x = i % 40;
        return {
          id: i + 1,
          image_id: 1 + (i % IMAGES),
          category_id: 1,
          segmentation: [[x, 1, x + 9, 1, x + 9, 9]],
          area: 36,
          bbox: [x, 1, 9, 8],
        };
      }),
      categories: [{ id: 1, name: 'mug' }],
    }),
  );
  let taken = false;
  for (const delayMs of DELAYS) {
    if (taken) break;
    const told = await importAndKill(file, place, delayMs);
    const { problems, annotations } = verifyProject(file);
    expect(problems).toEqual([]);
    expect([0, INSTANCES]).toContain(annotations);
    if (told) expect(annotations).toBe(INSTANCES);
    taken = annotations > 0;
    const after = openStore(file);
    expect(after.labels.list()).toHaveLength(taken ? 1 : 0);
    after.close();
    // The studio sweeps what a killed import left aside before the next one.
    for (const name of readdirSync(join(folder, '.maskloop'))) {
      if (name.includes('.staging')) rmSync(join(folder, '.maskloop', name));
    }
  }
  expect(taken).toBe(true);
}, 240_000);
