import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { encodeJpeg } from '../../src/main/inference/pixels.ts';
import { openSnapshot } from '../../src/main/store/database.ts';
import type { Content } from '../../src/main/store/replay.ts';
import { replayImage, verifyProject } from '../../src/main/store/replay.ts';
import { openStore } from '../../src/main/store/store.ts';
import type { Saved } from '../../src/shared/answers.ts';
import { apply } from '../../src/shared/diff.ts';
import { temporaryFolder } from '../store-fixtures.ts';
import { randomFrom } from './random.ts';

const ROUNDS = 20;
const EDITS = 200;
const program = fileURLToPath(new URL('editing.ts', import.meta.url));

interface Known {
  readonly revision: number;
  readonly content: Content;
}

/**
 * Starts the editing program and kills it: in every fourth round `delayMs` after its start, wherever
 * it is then, else `delayMs` after the line number `lines`. Answers with every line it printed.
 */
async function editAndKill(args: readonly string[], lines: number, delayMs: number): Promise<{ saved: Saved[]; complaint: string }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const saved: Saved[] = [];
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const kill = (): void => {
    void sleep(delayMs).then(() => child.kill('SIGKILL'));
  };
  if (lines === 0) kill();
  for await (const line of createInterface({ input: child.stdout })) {
    const printed = JSON.parse(line) as Saved | { ready: true };
    if (!('ready' in printed)) saved.push(printed);
    if (saved.length === lines && lines > 0) kill();
  }
  await exited;
  if (child.signalCode !== 'SIGKILL') throw new Error(`the program ended by itself: ${complaint}`);
  return { saved, complaint };
}

it(`loses nothing that was saved when it is killed, ${ROUNDS} times`, async () => {
  const folder = join(temporaryFolder(), 'photos');
  mkdirSync(folder);
  for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) {
    const rgb = { width: 40, height: 30, data: new Uint8Array(40 * 30 * 3).fill(name.charCodeAt(0)) };
    writeFileSync(join(folder, name), await encodeJpeg(rgb));
  }
  const file = join(folder, '.maskloop', 'project.db');
  openStore(file).close();
  const random = randomFrom(20_26);
  const known = new Map<number, Known>();
  let printed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const atStart = round % 4 === 3;
    const lines = atStart ? 0 : 1 + Math.floor(random() * (EDITS - 1));
    const delayMs = random() * (atStart ? 700 : 6);
    const { saved } = await editAndKill([folder, `${folder}-app`, String(round), String(EDITS)], lines, delayMs);
    printed += saved.length;
    for (const { imageId, revision, diff } of saved) {
      const before = known.get(imageId) ?? { revision: 0, content: { annotations: [], decisions: {} } };
      expect(revision).toBe(before.revision + 1);
      known.set(imageId, { revision, content: apply(before.content, diff) });
    }

    expect(verifyProject(file)).toMatchObject({ ok: true, problems: [] });
    const store = openStore(file);
    let unprinted = 0;
    for (const { id } of store.images.page({ offset: 0, limit: 10, search: '', states: [] }).rows) {
      const now = store.documents.load(id);
      const was = known.get(id) ?? { revision: 0, content: { annotations: [], decisions: {} } };
      unprinted += now.revision - was.revision;
      const snapshot = openSnapshot(file);
      const replayed = replayImage(snapshot.db, id, was.revision);
      snapshot.close();
      expect(replayed).toEqual({ ...was.content, revision: was.revision });
      if (now.revision === was.revision) expect({ annotations: now.annotations, decisions: now.decisions }).toEqual(was.content);
      known.set(id, { revision: now.revision, content: { annotations: now.annotations, decisions: now.decisions } });
    }
    // At most the one edit that was committed and killed before it could be printed.
    expect([0, 1]).toContain(unprinted);
    store.close();
  }
  expect(printed).toBeGreaterThan(EDITS);
}, 600_000);
