import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeRle } from '../../../shared/mask/rle.ts';
import { checkModels } from '../check.ts';
import { createEngine } from '../engine.ts';
import type { InstanceMapsManifest } from '../manifest.ts';
import { parseManifest } from '../manifest.ts';
import type { OutputTensor } from './family.ts';
import { instanceMaps } from './instance-maps.ts';

const folder = fileURLToPath(new URL('../../../../test/tiny-maps', import.meta.url));

function manifest(model: 'tiny-rtmdet' | 'tiny-rfdetr', change: object = {}): InstanceMapsManifest {
  const path = `${folder}/${model}/manifest.json`;
  const given = JSON.parse(readFileSync(path, 'utf8')) as object;
  const parsed = parseManifest(JSON.stringify({ ...given, ...change }), path);
  if (parsed.family !== 'instance-maps') throw new Error('of another family');
  return parsed;
}

describe('networks of the two signatures', () => {
  const engine = createEngine({ modelFolders: [folder], providers: 'cpu', threads: 1 });
  afterAll(() => engine.close());

  it('are answered as PyTorch and the references do', async () => {
    const reports = await checkModels(engine, [folder]);
    expect(reports.map(({ modelId, image, problem }) => [modelId, image, problem])).toEqual([
      ['tiny-rfdetr', 'golden/wide.png', null],
      ['tiny-rfdetr', 'golden/tall.png', null],
      ['tiny-rtmdet', 'golden/wide.png', null],
      ['tiny-rtmdet', 'golden/tall.png', null],
    ]);
    for (const report of reports) expect(report).toMatchObject({ ok: true, expected: 3, matched: 3, extra: 0 });
  });
});

/** An image of 20 x 10 in an input of 96 x 96: letterboxed it is 96 x 48. */
const image = { width: 20, height: 10, data: new Uint8Array(20 * 10 * 3).fill(90) };
const float = (dims: number[], values: readonly number[]): OutputTensor => ({ dims, data: Float32Array.from(values) });
const whole = (dims: number[], values: readonly number[]): OutputTensor => ({ dims, data: BigInt64Array.from(values, BigInt) });

describe('what MMDeploy answers', () => {
  const model = manifest('tiny-rtmdet');
  const { feeds, transform } = instanceMaps.prepare(model, image, image);

  it('stands for a picture at the start of its letterbox, blue first, grey around', () => {
    expect(transform).toMatchObject({ inputWidth: 96, inputHeight: 48, offsetX: 0, offsetY: 0 });
    const { dims, data } = feeds['input'] ?? { dims: [], data: new Float32Array() };
    expect(dims).toEqual([1, 3, 96, 96]);
    expect(data[0]).toBeCloseTo((90 - 103.53) / 57.375, 5);
    expect(data[47 * 96]).toBeCloseTo((90 - 103.53) / 57.375, 5);
    expect(data[48 * 96]).toBeCloseTo((114 - 103.53) / 57.375, 5);
    expect(data[2 * 96 * 96]).toBeCloseTo((90 - 123.675) / 58.395, 5);
  });

  it('is cut at the threshold over the whole picture, its box told in image pixels; filling and the unsure are left out', () => {
    // On the left half of the picture; beyond the box too, as the reference leaves it.
    const left = Array.from({ length: 96 * 96 }, (_, i) => (i % 96 < 48 ? 0.9 : 0.1));
    const outputs = {
      dets: float([1, 3, 5], [0, 0, 24, 48, 0.8, 0, 0, 96, 96, 0.04, 0, 0, 0, 0, 0.9]),
      labels: whole([1, 3], [2, 1, -1]),
      masks: float([1, 3, 96, 96], [...left, ...left, ...left]),
    };
    const found = instanceMaps.decode(model, outputs, transform);
    expect(found).toMatchObject([{ label: 'blue', box: [0, 0, 5, 10] }]);
    expect(found[0]?.score).toBeCloseTo(0.8, 5);
    const mask = decodeRle(found[0]?.rle ?? { size: [0, 0], counts: '' });
    expect(Array.from({ length: 20 }, (_, x) => mask.data[3 * 20 + x])).toEqual(Array.from({ length: 20 }, (_, x) => (x < 10 ? 1 : 0)));
  });

  it('may be nothing at all', () => {
    const none = { dets: float([1, 0, 5], []), labels: whole([1, 0], []), masks: float([1, 0, 96, 96], []) };
    expect(instanceMaps.decode(model, none, transform)).toEqual([]);
  });

  it('is refused where it has another shape', () => {
    const dets = float([1, 1, 4], [0, 0, 1, 1]);
    const masks = float([1, 1, 2, 2], [1, 1, 1, 1]);
    expect(() => instanceMaps.decode(model, { dets, labels: whole([1, 1], [0]), masks }, transform)).toThrow(/"dets" is 1 × 1 × 4/);
    const scored = float([1, 1, 5], [0, 0, 1, 1, 1]);
    expect(() => instanceMaps.decode(model, { dets: scored, labels: whole([1, 2], [0, 1]), masks }, transform)).toThrow(
      /1 × 2 for 1 boxes/,
    );
    expect(() => instanceMaps.decode(model, { dets: scored, masks }, transform)).toThrow(/no output "labels"/);
  });
});

describe('what RF-DETR answers', () => {
  it('is the best of the named classes of each query, in parts of the stretched picture', () => {
    const model = manifest('tiny-rfdetr');
    const { transform } = instanceMaps.prepare(model, image, image);
    expect(transform).toMatchObject({ inputWidth: 96, inputHeight: 96, scaleX: 4.8, scaleY: 9.6 });
    const row = (values: Record<number, number>): number[] => Array.from({ length: 8 }, (_, i) => values[i] ?? -9);
    const outputs = {
      dets: float([1, 2, 4], [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 1]),
      // Number 5 is surest, but has no name; of the second query none is sure.
      labels: float([1, 2, 8], [...row({ 3: 2, 5: 9, 6: 1 }), ...row({ 1: -5 })]),
      masks: float([1, 2, 2, 2], [1, -1, 1, -1, 1, 1, 1, 1]),
    };
    const found = instanceMaps.decode(model, outputs, transform);
    expect(found).toMatchObject([{ label: 'green', box: [5, 2.5, 10, 5] }]);
    expect(found[0]?.score).toBeCloseTo(1 / (1 + Math.exp(-2)), 5);
    expect(decodeRle(found[0]?.rle ?? { size: [0, 0], counts: '' }).data.reduce((sum, value) => sum + value, 0)).toBe(100);
  });

  it('needs a number for each label, and each once', () => {
    expect(() => manifest('tiny-rfdetr', { labelIds: [1, 2] })).toThrow(/has 2 numbers for 3 labels/);
    expect(() => manifest('tiny-rfdetr', { labelIds: [1, 2, 2] })).toThrow(/gives one number to two labels/);
    expect(() => manifest('tiny-rfdetr', { outputs: { boxes: 'a', labels: 'a', masks: 'm' } })).toThrow(/one name to two outputs/);
  });
});
