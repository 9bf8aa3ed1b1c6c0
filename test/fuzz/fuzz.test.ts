import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORMATS } from '../../src/main/formats/registry.ts';
import { fuzzDatasets } from './datasets.ts';
import { fuzzOnce } from './fuzz.ts';

/** `npm run fuzz -- --format F --count 10000` does the same at length. */
const INPUTS = 120;

describe('damaged datasets', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'maskloop-fuzz-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(FORMATS.map((format) => ({ id: format.id, format })))('$id is read right or refused with a reason', async ({ format }) => {
    const datasets = await fuzzDatasets(format, folder);
    const kinds = new Set<string>();
    for (let n = 0; n < INPUTS; n++) kinds.add((await fuzzOnce(format, datasets, 20_261_123, n)).kind);
    // Damage is neither harmless every time nor always fatal.
    expect(kinds).toContain('read');
  });
});
