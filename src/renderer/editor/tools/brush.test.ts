import { describe, expect, it } from 'vitest';
import { contourOfRle } from '../../../shared/mask/contour.ts';
import { decodeRle, encodeRle, rleArea } from '../../../shared/mask/rle.ts';
import { geometryToRle } from '../../../shared/mask/raster.ts';
import { emptyBitmap } from '../../../shared/mask/bitmap.ts';
import { stampStroke } from '../../../shared/mask/stamp.ts';
import type { Geometry } from '../../../shared/records.ts';
import { patchToRle, strokeToRle } from '../strokes.ts';
import type { Selection } from '../types.ts';
import { brush, eraser } from './brush.ts';
import { play, rectangle } from './play.test-support.ts';
import type { Edit } from './tool.ts';

const IMAGE = { width: 100, height: 80 };
const A: Selection = { kind: 'annotation', id: 'a' };

function rleOf(edit: Edit | undefined): ReturnType<typeof geometryToRle> {
  if (!edit || edit.kind === 'remove' || edit.kind === 'add-all') throw new Error('no geometry was committed');
  return geometryToRle(edit.geometry, IMAGE.width, IMAGE.height);
}

describe('brush', () => {
  it('paints a new mask with exactly the pixels of the stroke, one commit a stroke', () => {
    const player = play(brush, { instances: [] });
    player.drag([
      [20, 20],
      [40, 20],
      [40, 50],
    ]);
    const expected = emptyBitmap(100, 80);
    stampStroke(expected, 20, 20, 40, 20, 5, 1);
    stampStroke(expected, 40, 20, 40, 50, 5, 1);
    expect(player.commits).toHaveLength(1);
    expect(player.commits[0]?.kind).toBe('add');
    expect(rleOf(player.commits[0])).toEqual(encodeRle(expected));
  });

  it('extends the selected instance and keeps its pixels', () => {
    const player = play(brush, { instances: [{ selection: A, geometry: rectangle(10, 10, 20, 20) }], selected: A });
    player.drag([
      [30, 20],
      [50, 20],
    ]);
    expect(player.commits).toMatchObject([{ kind: 'replace', target: A, geometry: { kind: 'mask' } }]);
    const before = decodeRle(geometryToRle(rectangle(10, 10, 20, 20), 100, 80));
    const after = decodeRle(rleOf(player.commits[0]));
    expect(before.data.every((value, i) => value === 0 || after.data[i] === 1)).toBe(true);
    expect(rleArea(rleOf(player.commits[0]))).toBeGreaterThan(400);
  });

  it('starts a new instance with Ctrl although one is selected', () => {
    const player = play(brush, { instances: [{ selection: A, geometry: rectangle(10, 10, 20, 20) }], selected: A });
    player.drag(
      [
        [30, 20],
        [50, 20],
      ],
      { ctrl: true },
    );
    expect(player.commits).toMatchObject([{ kind: 'add' }]);
  });

  it('commits nothing where it adds no pixel, after Esc, on a locked instance or without a class', () => {
    const inside = play(brush, { instances: [{ selection: A, geometry: rectangle(10, 10, 40, 40) }], selected: A });
    inside.drag([
      [30, 30],
      [31, 30],
    ]);
    inside.press(5, 5);
    inside.move(60, 60);
    expect(inside.draft).toMatchObject({ kind: 'stroke', add: true, target: A });
    inside.feed({ kind: 'cancel' });
    inside.release(60, 60);
    expect(inside.commits).toEqual([]);
    const locked = play(brush, { instances: [{ selection: A, geometry: rectangle(10, 10, 20, 20), locked: true }], selected: A });
    locked.drag([
      [30, 20],
      [50, 20],
    ]);
    const classless = play(brush, { instances: [], canAdd: false });
    classless.drag([
      [30, 20],
      [50, 20],
    ]);
    expect([...locked.commits, ...classless.commits]).toEqual([]);
  });

  it('is clipped to the image, also where the stroke leaves it', () => {
    const player = play(brush, { instances: [], brushPx: 30 });
    player.drag([
      [-10, 40],
      [4, 40],
      [200, 300],
    ]);
    const rle = rleOf(player.commits[0]);
    expect(rle.size).toEqual([80, 100]);
    const outside = play(brush, { instances: [] });
    outside.drag([
      [-30, -30],
      [-20, -30],
    ]);
    expect(outside.commits).toEqual([]);
  });
});

describe('eraser', () => {
  it('makes a hole in the selected instance', () => {
    const player = play(eraser, { instances: [{ selection: A, geometry: rectangle(10, 10, 40, 40) }], selected: A });
    player.drag([
      [30, 30],
      [32, 30],
    ]);
    const [part, ...others] = contourOfRle(rleOf(player.commits[0]));
    expect(others).toEqual([]);
    expect(part?.holes).toHaveLength(1);
  });

  it('takes from what lies under it when nothing is selected, and selects it', () => {
    const player = play(eraser, { instances: [{ selection: A, geometry: rectangle(10, 10, 40, 40) }] });
    player.drag([
      [30, 30],
      [32, 30],
    ]);
    expect(player.selection).toEqual(A);
    expect(player.commits).toMatchObject([{ kind: 'replace', target: A }]);
    const nothing = play(eraser, { instances: [{ selection: A, geometry: rectangle(10, 10, 40, 40) }] });
    nothing.drag([
      [80, 70],
      [82, 70],
    ]);
    expect(nothing.commits).toEqual([]);
  });

  it('removes an instance that it erases entirely', () => {
    const player = play(eraser, { instances: [{ selection: A, geometry: rectangle(10, 10, 4, 4) }], selected: A, brushPx: 20 });
    player.click(12, 12);
    expect(player.commits).toEqual([{ kind: 'remove', target: A }]);
  });
});

describe('strokes', () => {
  it('gives the same pixels from the box of the stroke as on the whole image', () => {
    let seed = 11;
    const random = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647;
    for (let round = 0; round < 60; round++) {
      const points = Array.from({ length: 2 + 2 * Math.floor(random() * 5) }, () => random() * 140 - 20);
      const radius = 0.5 + random() * 14;
      const whole = emptyBitmap(100, 80);
      for (let i = 0; i + 1 < points.length; i += 2) {
        const from = Math.max(0, i - 2);
        stampStroke(whole, points[from] ?? 0, points[from + 1] ?? 0, points[i] ?? 0, points[i + 1] ?? 0, radius, 1);
      }
      expect(strokeToRle(points, radius, IMAGE)).toEqual(encodeRle(whole));
    }
  });

  it('cuts a patch off at the border and joins runs over columns', () => {
    const full = { width: 3, height: 80, data: new Uint8Array(240).fill(1) };
    const expected: Geometry = { kind: 'box', box: [98, 0, 2, 80] };
    expect(patchToRle(full, 98, 0, IMAGE)).toEqual(geometryToRle(expected, 100, 80));
    expect(rleArea(patchToRle(full, -2, -70, IMAGE))).toBe(10);
  });
});
