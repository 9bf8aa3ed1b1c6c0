import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeRle, rleArea, rleBox } from '../../../shared/mask/rle.ts';
import type { MaskRcnnManifest } from '../manifest.ts';
import { parseManifest } from '../manifest.ts';
import type { OutputTensor } from './family.ts';
import { maskRcnn } from './mask-rcnn.ts';

function manifestOf(id: string): MaskRcnnManifest {
  const path = fileURLToPath(new URL(`../../../../test/tiny-models/${id}/manifest.json`, import.meta.url));
  const manifest = parseManifest(readFileSync(path, 'utf8'), path);
  if (manifest.family !== 'mask-rcnn') throw new Error(`${path}: is of the family ${manifest.family}`);
  return manifest;
}
const torchvision = manifestOf('tiny-torchvision');
const zoo = manifestOf('tiny-zoo');

/** 4 x 2 pixels: red rises to the right, green is 100 above and 50 below, blue 200. */
const image = {
  width: 4,
  height: 2,
  data: Uint8Array.from({ length: 8 }, (_, i) => i).reduce<Uint8Array>((data, i) => {
    data.set([(i % 4) * 80, i < 4 ? 100 : 50, 200], i * 3);
    return data;
  }, new Uint8Array(24)),
};

function answer(over: Partial<Record<'boxes' | 'labels' | 'scores' | 'masks', OutputTensor>>): Record<string, OutputTensor> {
  return {
    boxes: { dims: [2, 4], data: Float32Array.from([1, 0, 3, 2, 0, 0, 4, 2]) },
    labels: { dims: [2], data: BigInt64Array.from([2n, 3n]) },
    scores: { dims: [2], data: Float32Array.from([0.9, 0.04]) },
    masks: { dims: [2, 1, 2, 4], data: Float32Array.from([0, 0.6, 0.7, 0, 0, 0.2, 0.5, 0, 1, 1, 1, 1, 1, 1, 1, 1]) },
    ...over,
  };
}

describe('Mask R-CNN, torchvision signature', () => {
  const prepared = maskRcnn.prepare(torchvision, image, image);

  it('feeds the image as planes of 0..1, RGB', () => {
    const input = prepared.feeds['image'];
    expect(input?.dims).toEqual([3, 2, 4]);
    expect([...(input?.data.subarray(0, 4) ?? [])]).toEqual([0, 80, 160, 240].map((v) => Math.fround(v / 255)));
    expect(input?.data[8]).toBeCloseTo(100 / 255, 7);
    expect(input?.data[23]).toBeCloseTo(200 / 255, 7);
  });

  it('answers instances at or above the least score kept, in image pixels', () => {
    const found = maskRcnn.decode(torchvision, answer({}), prepared.transform);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ label: 'beta', box: [1, 0, 2, 2] });
    expect(found[0]?.score).toBeCloseTo(0.9, 6);
    expect(found[0] && [...decodeRle(found[0].rle).data]).toEqual([0, 1, 1, 0, 0, 0, 1, 0]);
  });

  it('drops an instance whose mask is empty', () => {
    const masks = { dims: [2, 1, 2, 4], data: new Float32Array(16).fill(0.1) };
    expect(maskRcnn.decode(torchvision, answer({ masks }), prepared.transform)).toEqual([]);
  });

  it('answers nothing when the model found nothing', () => {
    const none = answer({
      boxes: { dims: [0, 4], data: new Float32Array(0) },
      labels: { dims: [0], data: new BigInt64Array(0) },
      scores: { dims: [0], data: new Float32Array(0) },
      masks: { dims: [0, 1, 2, 4], data: new Float32Array(0) },
    });
    expect(maskRcnn.decode(torchvision, none, prepared.transform)).toEqual([]);
  });

  it('scales boxes and masks back when the image was scaled down to be decoded', () => {
    const { transform } = maskRcnn.prepare(torchvision, image, { width: 400, height: 200 });
    const masks = { dims: [2, 1, 2, 4], data: Float32Array.from([0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1]) };
    const found = maskRcnn.decode(torchvision, answer({ masks }), transform);
    expect(found[0]?.box).toEqual([100, 0, 200, 200]);
    expect(found[0]?.rle.size).toEqual([200, 400]);
    // Interpolated, so the border between a cell of 1 and one of 0 lies half-way between their centres.
    expect(found[0] && rleBox(found[0].rle)).toEqual([100, 0, 200, 200]);
    const area = found[0] ? rleArea(found[0].rle) : 0;
    expect(area).toBeGreaterThan(28_000);
    expect(area).toBeLessThan(32_000);
  });

  it('names an output that is missing or of another shape, and a class the manifest does not know', () => {
    const { masks: _masks, ...withoutMasks } = answer({});
    expect(() => maskRcnn.decode(torchvision, withoutMasks, prepared.transform)).toThrow(/no output "masks"/);
    const flat = answer({ masks: { dims: [2, 1, 28, 28], data: new Float32Array(2 * 28 * 28) } });
    expect(() => maskRcnn.decode(torchvision, flat, prepared.transform)).toThrow(
      '"masks" is 2 × 1 × 28 × 28; a torchvision Mask R-CNN gives 2 × 1 × 2 × 4',
    );
    const odd = answer({ labels: { dims: [2], data: BigInt64Array.from([4n, 1n]) } });
    expect(() => maskRcnn.decode(torchvision, odd, prepared.transform)).toThrow(/answered class 4; its manifest names 3 classes from 1/);
  });
});

describe('Mask R-CNN, model zoo signature', () => {
  const large = { width: 400, height: 200, data: new Uint8Array(400 * 200 * 3).fill(255) };
  const prepared = maskRcnn.prepare(zoo, large, large);

  it('resizes by the shorter side unless the longer gets too long, subtracts the mean in BGR, pads with zeros', () => {
    // 160 / 200 would make 320 of 400; the longer side stops at 256.
    expect(prepared.transform).toMatchObject({ inputWidth: 256, inputHeight: 128, scaleX: 0.64, scaleY: 0.64 });
    const input = prepared.feeds['image'];
    expect(input?.dims).toEqual([3, 128, 256]);
    expect(input?.data[0]).toBeCloseTo(255 - 102.9801, 3);
    expect(input?.data[2 * 128 * 256]).toBeCloseTo(255 - 122.7717, 3);
    const odd = maskRcnn.prepare(zoo, { ...large, width: 200, height: 400 }, { width: 210, height: 200 });
    expect(odd.transform).toMatchObject({ inputWidth: 168, inputHeight: 160 });
    expect(odd.feeds['image']?.dims).toEqual([3, 160, 192]);
    expect(odd.feeds['image']?.data[191]).toBe(0);
  });

  it('divides boxes by the scale and pastes the masks into them', () => {
    const found = maskRcnn.decode(
      zoo,
      {
        boxes: { dims: [1, 4], data: Float32Array.from([64, 32, 128, 96]) },
        labels: { dims: [1], data: BigInt64Array.from([1n]) },
        scores: { dims: [1], data: Float32Array.from([0.8]) },
        masks: { dims: [1, 1, 28, 28], data: new Float32Array(28 * 28).fill(1) },
      },
      prepared.transform,
    );
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ label: 'alpha', box: [100, 50, 100, 100] });
    // Just the box: at its border, half a cell from the outermost centres, the value passes 0.5.
    expect(found[0] && rleBox(found[0].rle)).toEqual([100, 50, 100, 100]);
    expect(found[0] && rleArea(found[0].rle)).toBeGreaterThan(9900);
  });
});
