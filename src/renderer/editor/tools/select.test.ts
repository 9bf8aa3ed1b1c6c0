import { describe, expect, it } from 'vitest';
import { decodeRle, rleArea } from '../../../shared/mask/rle.ts';
import { geometryToRle, rasterize } from '../../../shared/mask/raster.ts';
import type { Geometry } from '../../../shared/records.ts';
import type { Selection } from '../types.ts';
import { play, rectangle } from './play.test-support.ts';
import { select } from './select.ts';

const A: Selection = { kind: 'annotation', id: 'a' };
const B: Selection = { kind: 'suggestion', id: 7 };
const BIG = rectangle(10, 10, 60, 50);
const SMALL = rectangle(30, 30, 10, 10);
const SCENE = {
  instances: [
    { selection: A, geometry: BIG },
    { selection: B, geometry: SMALL },
  ],
};

describe('select: picking', () => {
  it('takes the smaller of two, and nothing beside them', () => {
    const player = play(select, SCENE);
    player.move(35, 35);
    expect(player.hover).toEqual(B);
    player.click(35, 35);
    expect(player.selection).toEqual(B);
    player.click(15, 50);
    expect(player.selection).toEqual(A);
    player.click(95, 75);
    expect(player.selection).toBeNull();
    expect(player.commits).toEqual([]);
  });

  it('reaches the smaller one inside the selected one with a click, and moves the selected one with a drag', () => {
    const player = play(select, { ...SCENE, selected: A });
    player.click(35, 35);
    expect(player.selection).toEqual(B);
    const other = play(select, { ...SCENE, selected: A });
    other.drag([
      [35, 35],
      [40, 38],
    ]);
    expect(other.commits).toEqual([{ kind: 'replace', target: A, geometry: rectangle(15, 13, 60, 50) }]);
  });

  it('goes to the one below with each click on the same spot, and round', () => {
    const middle: Selection = { kind: 'annotation', id: 'middle' };
    const player = play(select, { scale: 10, instances: [...SCENE.instances, { selection: middle, geometry: rectangle(25, 25, 20, 20) }] });
    const picked = [0, 1, 2, 3].map(() => {
      player.click(36, 35);
      return player.selection;
    });
    expect(picked).toEqual([B, middle, A, B]);
    expect(player.commits).toEqual([]);
  });
});

describe('select: moving', () => {
  it('does not move for less than three pixels on screen', () => {
    const player = play(select, { ...SCENE, scale: 1 });
    player.drag([
      [15, 50],
      [17, 50],
    ]);
    expect(player.commits).toEqual([]);
    expect(player.selection).toEqual(A);
  });

  it('stops at the border of the image', () => {
    const player = play(select, SCENE);
    player.drag([
      [15, 50],
      [60, 55],
      [200, -300],
    ]);
    expect(player.commits).toEqual([{ kind: 'replace', target: A, geometry: rectangle(40, 0, 60, 50) }]);
  });

  it('moves a mask by whole pixels and loses none', () => {
    const mask: Geometry = { kind: 'mask', rle: geometryToRle({ kind: 'box', box: [20, 20, 10, 12] }, 100, 80) };
    const player = play(select, { instances: [{ selection: A, geometry: mask }] });
    player.drag([
      [25, 25],
      [28.4, 30.7],
    ]);
    expect(player.commits).toHaveLength(1);
    const edit = player.commits[0];
    if (edit?.kind !== 'replace' || edit.geometry.kind !== 'mask') throw new Error('a mask must stay a mask');
    expect(edit.geometry.rle).toEqual(geometryToRle({ kind: 'box', box: [23, 26, 10, 12] }, 100, 80));
    expect(rleArea(edit.geometry.rle)).toBe(120);
  });

  it('puts everything back on Esc', () => {
    const player = play(select, SCENE);
    player.press(15, 50);
    player.move(25, 55);
    expect(player.draft).toEqual({ kind: 'shift', target: A, dx: 10, dy: 5 });
    expect(player.feed({ kind: 'cancel' }).used).toBe(true);
    player.release(25, 55);
    expect(player.commits).toEqual([]);
    expect(player.draft).toBeNull();
  });

  it('leaves a locked instance where it is', () => {
    const player = play(select, { instances: [{ selection: A, geometry: BIG, locked: true }], selected: A });
    player.drag([
      [40, 50],
      [60, 55],
    ]);
    player.drag([
      [10, 10],
      [30, 30],
    ]);
    expect(player.commits).toEqual([]);
  });
});

describe('select: vertices', () => {
  const scene = { instances: [{ selection: A, geometry: BIG }], selected: A, scale: 1 };

  it('drags a vertex, clipped to the image', () => {
    const player = play(select, scene);
    player.drag([
      [10, 10],
      [5, 5],
      [-20, 3],
    ]);
    expect(player.commits).toEqual([
      { kind: 'replace', target: A, geometry: { kind: 'polygon', parts: [{ outer: [0, 3, 70, 10, 70, 60, 10, 60], holes: [] }] } },
    ]);
  });

  it('commits nothing for a click on a vertex or a drag back to where it began', () => {
    const player = play(select, scene);
    player.click(10, 10);
    player.drag([
      [10, 10],
      [30, 30],
      [10, 10],
    ]);
    expect(player.commits).toEqual([]);
  });

  it('adds a vertex on the middle of an edge with a click, and drags it', () => {
    const clicked = play(select, scene);
    clicked.click(40, 10);
    expect(clicked.commits).toEqual([
      {
        kind: 'replace',
        target: A,
        geometry: { kind: 'polygon', parts: [{ outer: [10, 10, 40, 10, 70, 10, 70, 60, 10, 60], holes: [] }] },
      },
    ]);
    const dragged = play(select, scene);
    dragged.drag([
      [40, 10],
      [40, 4],
      [40, 2],
    ]);
    expect(dragged.commits).toEqual([
      { kind: 'replace', target: A, geometry: { kind: 'polygon', parts: [{ outer: [10, 10, 40, 2, 70, 10, 70, 60, 10, 60], holes: [] }] } },
    ]);
  });

  it('adds a vertex where an edge is clicked, but not with the click that selects', () => {
    const player = play(select, { ...scene, selected: A });
    player.click(22, 10);
    expect(player.commits).toMatchObject([{ kind: 'replace', geometry: { parts: [{ outer: [10, 10, 22, 10, 70, 10, 70, 60, 10, 60] }] } }]);
    const fresh = play(select, { instances: scene.instances, scale: 1 });
    fresh.click(22, 11);
    expect(fresh.selection).toEqual(A);
    expect(fresh.commits).toEqual([]);
  });

  it('removes a vertex with Alt-click and several with Delete, but never below three', () => {
    const player = play(select, scene);
    player.click(10, 10, { alt: true });
    expect(player.commits).toHaveLength(1);
    expect(player.commits[0]).toMatchObject({ geometry: { parts: [{ outer: [70, 10, 70, 60, 10, 60] }] } });
    player.click(70, 10, { alt: true });
    expect(player.commits).toHaveLength(1);
    player.click(70, 10, { shift: true });
    expect(player.feed({ kind: 'delete' }).used).toBe(true);
    expect(player.commits).toHaveLength(1);
  });

  it('removes a hole with its last points and keeps the rest', () => {
    const holed: Geometry = { kind: 'polygon', parts: [{ outer: [10, 10, 70, 10, 70, 60, 10, 60], holes: [[20, 20, 50, 20, 50, 50]] }] };
    const player = play(select, { instances: [{ selection: A, geometry: holed }], selected: A });
    player.click(20, 20, { alt: true });
    expect(player.commits).toEqual([{ kind: 'replace', target: A, geometry: BIG }]);
  });

  it('takes several with Shift and a frame, and moves them together', () => {
    const player = play(select, scene);
    player.drag(
      [
        [60, 5],
        [75, 65],
      ],
      { shift: true },
    );
    expect(select.vertices?.(player.state)).toHaveLength(2);
    player.drag([
      [70, 10],
      [80, 12],
    ]);
    expect(player.commits).toEqual([
      { kind: 'replace', target: A, geometry: { kind: 'polygon', parts: [{ outer: [10, 10, 80, 12, 80, 62, 10, 60], holes: [] }] } },
    ]);
    player.click(80, 62, { shift: true });
    expect(select.vertices?.(player.state)).toHaveLength(1);
    expect(player.feed({ kind: 'cancel' }).used).toBe(true);
    expect(select.vertices?.(player.state)).toEqual([]);
  });

  it('turns a mask to a polygon only when a vertex is really edited, within a pixel of it', () => {
    const mask: Geometry = { kind: 'mask', rle: geometryToRle({ kind: 'box', box: [20, 20, 40, 30] }, 100, 80) };
    const player = play(select, { instances: [{ selection: A, geometry: mask }], selected: A });
    player.click(20, 20);
    player.click(40, 35);
    expect(player.commits).toEqual([]);
    player.drag([
      [20, 20],
      [15, 16],
    ]);
    const edit = player.commits[0];
    if (edit?.kind !== 'replace' || edit.geometry.kind !== 'polygon') throw new Error('a polygon was expected');
    expect(edit.geometry.parts).toEqual([{ outer: [60, 20, 60, 50, 20, 50, 15, 16], holes: [] }]);
    const before = decodeRle(mask.rle);
    const after = rasterize(edit.geometry, 100, 80);
    expect(before.data.every((value, i) => value === 0 || after.data[i] === 1)).toBe(true);
  });
});

describe('select: boxes', () => {
  const scene = { instances: [{ selection: A, geometry: { kind: 'box', box: [20, 20, 30, 20] } as const }], selected: A };

  it('resizes by a handle and stays a box', () => {
    const player = play(select, scene);
    player.drag([
      [50, 40],
      [60, 50],
      [300, 60],
    ]);
    expect(player.commits).toEqual([{ kind: 'replace', target: A, geometry: { kind: 'box', box: [20, 20, 80, 40] } }]);
  });

  it('refuses a box without width, and nothing happens on Esc', () => {
    const player = play(select, scene);
    player.drag([
      [50, 30],
      [20, 30],
    ]);
    player.press(50, 30);
    player.move(70, 30);
    player.feed({ kind: 'cancel' });
    player.release(70, 30);
    expect(player.commits).toEqual([]);
  });
});
