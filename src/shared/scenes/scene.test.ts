import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SAMPLE_SCENES, SCENE_LABELS, drawScene } from './index.ts';
import { seededRandom } from './random.ts';

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

describe('drawScene', () => {
  it('draws the same bytes for the same seed, and others for another', () => {
    const first = drawScene(7, { width: 320, height: 240 });
    const again = drawScene(7, { width: 320, height: 240 });
    const other = drawScene(8, { width: 320, height: 240 });
    expect(digest(again.rgb)).toBe(digest(first.rgb));
    expect(again.objects.map((object) => digest(object.mask))).toEqual(first.objects.map((object) => digest(object.mask)));
    expect(digest(other.rgb)).not.toBe(digest(first.rgb));
  });

  it('draws the bytes that the published models were trained on', () => {
    const scene = drawScene(1_000_000, { width: 320, height: 240 });
    const masks = scene.objects.map((object) => `${object.label} ${object.mask.reduce((sum, value) => sum + value, 0)}`);
    expect({ rgb: digest(scene.rgb), masks }).toMatchInlineSnapshot(`
      {
        "masks": [
          "button 885",
          "button 845",
          "citrus slice 1857",
          "leaf 2231",
          "leaf 818",
          "tomato 2834",
          "tomato 2504",
          "tomato 1940",
          "mug 3642",
          "tomato 2102",
        ],
        "rgb": "0487192352fe1af1",
      }
    `);
  });

  it.each([1, 2_000_000, 3_000_003])('gives 3 to 15 known objects whose masks are disjoint and big enough (seed %i)', (seed) => {
    const scene = drawScene(seed, { width: 480, height: 360 });
    expect(scene.rgb.length).toBe(480 * 360 * 3);
    expect(scene.objects.length).toBeGreaterThanOrEqual(3);
    expect(scene.objects.length).toBeLessThanOrEqual(15);
    const seen = new Uint8Array(480 * 360);
    for (const object of scene.objects) {
      expect(SCENE_LABELS).toContain(object.label);
      let area = 0;
      for (const [index, value] of object.mask.entries()) {
        if (value === 0) continue;
        expect(value).toBe(1);
        area++;
        seen[index] = (seen[index] ?? 0) + 1;
      }
      expect(area).toBeGreaterThanOrEqual(80);
    }
    expect(seen.reduce((most, value) => Math.max(most, value), 0)).toBe(1);
  });

  it('gives masks with holes: the ground shows through a nut', () => {
    const scene = drawScene(1, { width: 640, height: 480 });
    const holed = scene.objects.filter((object) => object.label === 'hex nut' || object.label === 'key' || object.label === 'button');
    expect(holed.length).toBeGreaterThan(0);
    expect(holed.some((object) => enclosedZeros(object.mask, 640, 480) > 20)).toBe(true);
  });

  it('says which size it refuses', () => {
    expect(() => drawScene(1, { width: 63, height: 480 })).toThrow(/63×480/);
    expect(() => drawScene(1, { width: 640.5, height: 480 })).toThrow(RangeError);
  });
});

describe('the sample project', () => {
  it('has 24 pictures of different names and seeds in several sizes', () => {
    expect(SAMPLE_SCENES).toHaveLength(24);
    expect(new Set(SAMPLE_SCENES.map((scene) => scene.name)).size).toBe(24);
    expect(new Set(SAMPLE_SCENES.map((scene) => scene.seed)).size).toBe(24);
    expect(new Set(SAMPLE_SCENES.map((scene) => `${scene.width}x${scene.height}`)).size).toBeGreaterThan(3);
    expect(SAMPLE_SCENES[0]?.name).toBe('scene-01.jpg');
    expect(SAMPLE_SCENES[23]?.name).toBe('scene-24.jpg');
  });
});

describe('seededRandom', () => {
  it('is uniform enough and repeats with its seed', () => {
    const random = seededRandom(42);
    const values = Array.from({ length: 4000 }, () => random.next());
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean).toBeGreaterThan(0.48);
    expect(mean).toBeLessThan(0.52);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    const again = seededRandom(42);
    expect(values.slice(0, 5).map(() => again.next())).toEqual(values.slice(0, 5));
  });

  it('refuses to pick from nothing', () => {
    expect(() => seededRandom(1).pick([])).toThrow(RangeError);
  });
});

/** Zeros that a flood from the border doesn't reach. */
function enclosedZeros(mask: Uint8Array, width: number, height: number): number {
  const reached = new Uint8Array(mask.length);
  const stack: number[] = [];
  const visit = (index: number): void => {
    if (mask[index] === 0 && reached[index] === 0) {
      reached[index] = 1;
      stack.push(index);
    }
  };
  for (let x = 0; x < width; x++) {
    visit(x);
    visit((height - 1) * width + x);
  }
  for (let y = 0; y < height; y++) {
    visit(y * width);
    visit(y * width + width - 1);
  }
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    const x = index % width;
    if (x > 0) visit(index - 1);
    if (x < width - 1) visit(index + 1);
    if (index >= width) visit(index - width);
    if (index < width * (height - 1)) visit(index + width);
  }
  return mask.reduce((sum, value, index) => sum + (value === 0 && reached[index] === 0 ? 1 : 0), 0);
}
