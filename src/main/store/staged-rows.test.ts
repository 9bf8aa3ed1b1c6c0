import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/store-fixtures.ts';
import { seededRandom } from '../../shared/scenes/random.ts';
import type { DatasetInstance, DatasetSink } from '../formats/dataset.ts';
import type { Staging } from './staging.ts';
import { createStaging } from './staging.ts';

const folder = temporaryFolder();
const made: Staging[] = [];
let files = 0;

function staging(thread: boolean): Staging {
  const one = createStaging('coco', join(folder, `staging-${++files}`), { thread });
  made.push(one);
  return one;
}

afterEach(async () => {
  for (const one of made.splice(0)) {
    await one.settled().catch(() => undefined);
    one.close();
    expect(existsSync(one.file)).toBe(false);
  }
});

/** Some megabytes: more than the messages that may wait. */
const INSTANCES = 20_000;

function instance(key: number, more: Partial<DatasetInstance> = {}): DatasetInstance {
  const geometry = { kind: 'box', box: [1, 2, 3, 4] } as const;
  return { key, imageKey: 1 + (key % 50), categoryKey: 1, geometry, crowd: key % 7 === 0, source: null, ...more };
}

function fill(sink: DatasetSink): void {
  const random = seededRandom(3);
  sink.category({ key: 1, name: 'Möwe 🐦', color: null, source: '{"id":1}' });
  for (let key = 1; key <= 50; key++) {
    sink.image({
      key,
      path: `${key}.jpg`,
      width: key === 3 ? null : 40,
      height: 30,
      split: key % 2 ? 'val' : null,
      source: `{"id":${key}}`,
    });
  }
  for (let key = 1; key <= INSTANCES; key++) {
    const inSource = random.chance(0.7);
    const measured = random.chance(0.8) ? { area: random.range(0, 1e6), box: [random.next(), -0.5, 1 / 3, 7] as const } : null;
    const source = random.chance(0.9) ? `{"note":"${'ä€🐦x'.repeat(random.integer(0, 200))}"}` : null;
    const number = random.chance(0.5) ? key : null;
    sink.instance(instance(key, { inSource, source, number, measured: inSource ? measured : null }));
    if (key % 5000 === 0) sink.finding({ kind: 'kept', what: 'annotation', id: String(key), reason: 'odd', message: `${key} is odd.` });
  }
  // More than any slot holds.
  sink.instance(instance(INSTANCES + 1, { source: 'ß'.repeat(3 << 20) }));
  sink.rest('info', '{"year":2017}');
}

function content({ db }: Staging): unknown {
  const tables = ['category', 'image', 'instance', 'text', 'finding', 'rest'];
  return Object.fromEntries(tables.map((table) => [table, db.prepare(`SELECT * FROM ${table}`).all()]));
}

it('puts the same rows by a thread of its own as at once', async () => {
  const [direct, threaded] = [staging(false), staging(true)];
  fill(direct);
  fill(threaded);
  await threaded.settled();
  direct.seal();
  threaded.seal();
  expect(threaded.counts()).toEqual(direct.counts());
  expect(threaded.findingCounts()).toEqual(direct.findingCounts());
  expect(content(threaded)).toEqual(content(direct));
  // From now on it is like the other.
  threaded.finding({ kind: 'refused', what: 'file', id: 'a', reason: 'late', message: 'Told while it is planned.' });
  expect(threaded.findings({ offset: 0, limit: 10 }).rows.at(-1)?.reason).toBe('late');
});

it('says why rows could not be put, once it is awaited, and takes no more', async () => {
  const one = staging(true);
  const told = (): void => {
    for (let key = 1; key <= INSTANCES; key++) one.instance(instance(1, { source: 'x'.repeat(2000) }));
  };
  // The reader is stopped early: it must not read a large file for nothing.
  expect(told).toThrow(/could not be written/);
  await expect(one.settled()).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('a key is used twice') as unknown,
  });
});
