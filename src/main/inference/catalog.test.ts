import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCatalog, modelInfo } from './catalog.ts';
import { parseGoldenAnswer, parseManifest } from './manifest.ts';

const tiny = fileURLToPath(new URL('../../../test/tiny-models', import.meta.url));
const good = await readFile(`${tiny}/tiny-zoo/manifest.json`, 'utf8');

/** The manifest of tiny-zoo with one value set (or, when undefined, taken away) at a dotted path. */
function changed(path: string, value: unknown): string {
  const manifest = JSON.parse(good) as Record<string, unknown>;
  const keys = path.split('.');
  let at = manifest;
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
  // JSON leaves out what is undefined.
  at[keys.at(-1) ?? ''] = value;
  return JSON.stringify(manifest);
}

describe('a manifest', () => {
  it('is read', () => {
    expect(parseManifest(good, 'm.json')).toMatchObject({ id: 'tiny-zoo', variant: 'zoo', labels: ['alpha', 'beta', 'gamma'] });
  });

  it.each([
    ['no JSON', '{"format": 1,', /^m\.json: is not JSON/],
    ['an unknown key', changed('input.gamma', 2), 'm.json: input.gamma: unknown key.'],
    ['a missing key', changed('labelOffset', undefined), /^m\.json: labelOffset: /],
    ['a newer format', changed('format', 2), /^m\.json: format: /],
    ['an unknown family', changed('family', 'yolo'), /^m\.json: family: /],
    ['a path out of the folder', changed('file.path', '../other/model.onnx'), /^m\.json: file\.path: a path inside the model folder/],
    ['an absolute path', changed('file.path', '/etc/passwd'), /^m\.json: file\.path: /],
    ['a hash that is none', changed('file.sha256', 'abc'), /^m\.json: file\.sha256: 64 lower case hex digits/],
    ['a label twice', changed('labels', ['a', 'b', 'a']), 'm.json: labels: has "a" twice.'],
    ['keep above score', changed('thresholds.keep', 0.9), 'm.json: thresholds.keep: is 0.9, above thresholds.score, 0.3.'],
    ['one name for two outputs', changed('outputs.masks', 'boxes'), 'm.json: outputs: gives one name to two outputs.'],
    [
      'a fit of the other variant',
      changed('variant', 'torchvision'),
      'm.json: input.fit.mode: is "short-side"; the torchvision variant takes "none".',
    ],
    ['a long side below the short one', changed('input.fit.longSide', 100), /longSide: is 100, below shortSide, 160/],
    ['a standard deviation of zero', changed('input.std', [1, 0, 1]), /^m\.json: input\.std: must be greater than 0/],
  ])('with %s is refused by name', (_name, text, message) => {
    expect(() => parseManifest(text, 'm.json')).toThrow(message);
  });

  it('has goldens whose answers are checked too', () => {
    expect(() => parseGoldenAnswer('{"width": 3}', 'g.json')).toThrow(/^g\.json: /);
    expect(() => parseGoldenAnswer('nope', 'g.json')).toThrow('g.json:  is not JSON.');
  });
});

describe('the catalog', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'maskloop-models-'));
    await cp(`${tiny}/tiny-zoo`, join(folder, 'tiny-zoo'), { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('finds models, and answers what the window shows of them', async () => {
    const entries = await createCatalog([tiny, join(folder, 'nowhere')]).list();
    expect(entries.map(modelInfo).filter(({ id }) => id !== 'tiny-sam1')).toMatchObject([
      { id: 'tiny-detectron2', family: 'mask-rcnn', variant: 'detectron2', labels: ['alpha', 'beta', 'gamma'], problem: null },
      { id: 'tiny-torchvision', variant: 'torchvision', minScore: 0.3, problem: null },
      { id: 'tiny-zoo', family: 'mask-rcnn', labels: ['alpha', 'beta', 'gamma'], license: 'Apache-2.0', problem: null },
    ]);
  });

  it('checks the hash before the first use, and again when the file changed', async () => {
    const catalog = createCatalog([folder]);
    const file = join(folder, 'tiny-zoo', 'model.onnx');
    expect((await catalog.use('tiny-zoo')).file).toBe(file);
    const bytes = await readFile(file);
    bytes[5000] = (bytes[5000] ?? 0) ^ 1;
    await writeFile(file, bytes);
    await expect(catalog.use('tiny-zoo')).rejects.toMatchObject({
      code: 'model-load',
      message: expect.stringMatching(/^tiny-zoo: .*model\.onnx: its sha256 is [0-9a-f]{64}; the manifest says/) as string,
    });
    expect((await catalog.list())[0]?.problem).toMatch(/its sha256 is/);
  });

  it('lists a model whose file is cut off or missing, with the reason', async () => {
    const catalog = createCatalog([folder]);
    await truncate(join(folder, 'tiny-zoo', 'model.onnx'), 1000);
    expect((await catalog.list())[0]?.problem).toMatch(/model\.onnx: has 1000 bytes; the manifest says \d+\.$/);
    await expect(catalog.use('tiny-zoo')).rejects.toMatchObject({ code: 'model-load' });
    await rm(join(folder, 'tiny-zoo', 'model.onnx'));
    expect((await catalog.list())[0]?.problem).toMatch(/the model's file is missing/);
  });

  it('lists a model with a bad manifest, and refuses to use it', async () => {
    await writeFile(join(folder, 'tiny-zoo', 'manifest.json'), changed('id', 'other'));
    const catalog = createCatalog([folder]);
    expect((await catalog.list())[0]?.problem).toMatch(/manifest\.json: id is "other"; its folder is "tiny-zoo"/);
    await expect(catalog.use('tiny-zoo')).rejects.toMatchObject({ code: 'invalid' });
    await expect(catalog.use('nobody')).rejects.toMatchObject({ code: 'not-found', detail: { modelId: 'nobody' } });
  });

  it('of two models with one id uses the first, and says so at the second', async () => {
    const catalog = createCatalog([folder, tiny]);
    const entries = (await catalog.list()).filter((entry) => entry.id === 'tiny-zoo');
    expect(entries).toHaveLength(2);
    expect(entries[0]).toMatchObject({ folder: join(folder, 'tiny-zoo'), problem: null });
    expect(entries[1]?.problem).toContain('another model with the id "tiny-zoo"');
    expect((await catalog.use('tiny-zoo')).folder).toBe(join(folder, 'tiny-zoo'));
  });
});
