import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createCatalog } from '../../src/main/inference/catalog.ts';
import { checkModels, goldenLine } from '../../src/main/inference/check.ts';
import { createEngine } from '../../src/main/inference/engine.ts';
import { parseManifest, weightFiles } from '../../src/main/inference/manifest.ts';
import { userModelFolder } from '../../src/main/local-studio.ts';

const root = import.meta.dirname;
const ids = readdirSync(root).filter((name) => existsSync(join(root, name, 'manifest.json')));
const card = readFileSync(join(root, 'README.md'), 'utf8');

function manifestOf(id: string): ReturnType<typeof parseManifest> {
  const path = join(root, id, 'manifest.json');
  return parseManifest(readFileSync(path, 'utf8'), path);
}

describe('the models that can be fetched', () => {
  it.each(ids)('%s has a source, a golden unless nobody ran it, a line in the card, and no weights in the tree', (id) => {
    const manifest = manifestOf(id);
    expect(manifest.id).toBe(id);
    for (const file of weightFiles(manifest)) {
      expect(file.sources.length).toBeGreaterThan(0);
      expect(existsSync(join(root, id, file.path))).toBe(false);
    }
    // What answers prompts is proven by prompts.
    if (manifest.family !== 'sam') expect(manifest.goldens.length > 0).toBe(!manifest.neverRun);
    expect(card).toContain(`| ${id} |`);
  });

  it('are offered while they are not here', async () => {
    const entries = await createCatalog([root]).list();
    expect(entries.map((entry) => [entry.id, entry.toFetch])).toEqual(ids.map((id) => [id, true]));
  });
});

describe('those that were fetched', async () => {
  const entries = (await createCatalog([root, userModelFolder()]).list()).filter((entry) => (entry.manifest?.goldens.length ?? 0) > 0);
  const engine = createEngine({ modelFolders: [root, userModelFolder()], providers: 'cpu', threads: 1 });
  afterAll(() => engine.close());

  // Whoever wants to see them run fetches them first: `maskloop models get u2netp`. Segmenting everything is half a
  // minute of work, more where others work too.
  for (const { id, problem } of entries) {
    it.skipIf(problem !== null)(`${id} answers as the reference does`, { timeout: 240_000 }, async () => {
      const reports = await checkModels(engine, [root, userModelFolder()], undefined, id);
      expect(reports.filter((report) => !report.ok).map(goldenLine)).toEqual([]);
    });
  }
});
