import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { SamManifest } from '../manifest.ts';
import { parseManifest } from '../manifest.ts';
import type { PromptMark } from './sam.ts';
import { decodedMasks, decoderFeeds, encoderFeeds, gridOf } from './sam.ts';

const path = fileURLToPath(new URL('../../../../test/tiny-sams/tiny-efficient-sam/manifest.json', import.meta.url));
const given = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, object>>;

function manifest(change: object = {}): SamManifest {
  const parsed = parseManifest(JSON.stringify({ ...given, ...change }), path);
  if (parsed.family !== 'sam') throw new Error('not a SAM');
  return parsed;
}

describe('EfficientSAM', () => {
  const model = manifest();
  const view = { x: 100, y: 40, width: 512, height: 256 };
  const embedding = { view, tensors: { embedding: { dims: [1, 256, 64, 64], data: new Float32Array(4) } } };
  const click = (x: number, y: number, label: 0 | 1 | 2 | 3 = 1): PromptMark => ({ x, y, label });
  const fed = (...lists: PromptMark[][]): ReturnType<typeof decoderFeeds> => decoderFeeds(model, embedding, lists, null);

  it('is fed numbers between 0 and 1, stretched: the graph normalises', () => {
    const { batched_images: image } = encoderFeeds(model, view, { width: 2, height: 1, data: Uint8Array.from([255, 0, 51, 255, 0, 51]) });
    expect(image?.dims).toEqual([1, 3, 1024, 1024]);
    expect([0, 1, 2].map((plane) => image?.data[plane * 1024 * 1024 + 5])).toEqual([1, 0, Math.fround(0.2)]);
  });

  it('is told lists of clicks on its own grid of 256, and that the picture is as large', () => {
    const feeds = fed([click(228, 104), click(612, 296)], [click(100, 40)]);
    expect(feeds['orig_im_size']).toEqual({ dims: [2], data: BigInt64Array.of(256n, 256n) });
    expect(feeds['batched_point_coords']?.dims).toEqual([1, 2, 2, 2]);
    expect(feeds['batched_point_coords']?.data).toEqual(Float32Array.of(64, 64, 256, 256, 0, 0, 0, 0));
    expect(feeds['batched_point_labels']).toEqual({ dims: [1, 2, 2], data: Float32Array.of(1, 1, 1, -1) });
    expect(Object.keys(feeds)).toHaveLength(4);
  });

  it('is not told of negative clicks, and of more than six marks the box and the latest', () => {
    const clicks = Array.from({ length: 7 }, (_, i) => click(100 + 2 * i, 40));
    const feeds = fed([click(100, 40, 2), click(612, 296, 3), ...clicks, click(300, 100, 0)]);
    expect(feeds['batched_point_labels']).toEqual({ dims: [1, 1, 6], data: Float32Array.of(2, 3, 1, 1, 1, 1) });
    const { data } = feeds['batched_point_coords'] ?? { data: new Float32Array() };
    expect([4, 6, 8, 10].map((at) => data[at])).toEqual([3, 4, 5, 6]);
    expect(fed([click(300, 100, 0)])['batched_point_labels']).toEqual({ dims: [1, 1, 1], data: Float32Array.of(-1) });
  });

  it('answers with a grid for each mask, one axis deeper than others', () => {
    const cells = 256 * 256;
    const masks = { dims: [1, 2, 3, 256, 256], data: new Float32Array(6 * cells) };
    masks.data[4 * cells] = 7;
    const scores = { dims: [1, 2, 3], data: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6) };
    const found = decodedMasks(model, view, { output_masks: masks, iou_predictions: scores }, false);
    expect(found.map((list) => list.map(({ score }) => Math.round(score * 10)))).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(found[1]?.[1]?.grid).toMatchObject({ ...gridOf(model, view), cellX: 2, cellY: 1 });
    expect(found[1]?.[1]?.grid.logits[0]).toBe(7);
    const flat = { ...masks, dims: [6, 1, 256, 256] };
    expect(() => decodedMasks(model, view, { output_masks: flat, iou_predictions: scores }, false)).toThrow(
      /is 6 × 1 × 256 × 256 for 6 scores/,
    );
  });

  it('has a manifest without what it does not take', () => {
    const decoder = given['decoder'] ?? {};
    const inputs = { ...decoder['inputs'], maskInput: 'mask_input', hasMaskInput: 'has_mask_input' };
    expect(() => manifest({ decoder: { ...decoder, inputs } })).toThrow(/maskInput: has no meaning for the efficient-sam variant/);
    expect(() => manifest({ variant: 'sam2' })).toThrow(/maskInput: is missing; the sam2 variant needs it/);
  });
});
