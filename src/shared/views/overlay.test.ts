import { describe, expect, it } from 'vitest';
import type { ImageDocument, Label, Suggestion } from '../records.ts';
import { encodeRle } from '../mask/rle.ts';
import { classMap } from './class-map.ts';
import { fillRings, roundedRing, strokeRings } from './coverage.ts';
import type { Coverage } from './coverage.ts';
import { drawOverlay } from './overlay.ts';
import { openSuggestions, shownInstances, tally } from './scene.ts';

const sum = (cover: Coverage | null): number => cover?.data.reduce((a, b) => a + b, 0) ?? 0;

const LABELS: readonly Label[] = [
  { id: 4, name: 'nut', color: '#FF0000', hotkey: null, position: 0 },
  { id: 9, name: 'bolt', color: '#0000FF', hotkey: null, position: 1 },
];

function square(x: number, y: number, side: number, width = 40, height = 30): Suggestion['rle'] {
  const data = new Uint8Array(width * height);
  for (let j = y; j < y + side; j++) data.fill(1, j * width + x, j * width + x + side);
  return encodeRle({ width, height, data });
}

const DOCUMENT: ImageDocument = {
  imageId: 1,
  revision: 1,
  width: 40,
  height: 30,
  annotations: [
    {
      id: 'annotation-b',
      labelId: 9,
      geometry: { kind: 'mask', rle: square(6, 6, 8) },
      z: 2,
      crowd: false,
      origin: 'drawn',
      suggestionId: null,
    },
    {
      id: 'annotation-a',
      labelId: 4,
      geometry: { kind: 'mask', rle: square(2, 2, 8) },
      z: 1,
      crowd: false,
      origin: 'drawn',
      suggestionId: null,
    },
  ],
  suggestions: [
    { id: 1, runId: 1, labelId: 4, score: 0.9, box: [20, 10, 6, 6], rle: square(20, 10, 6) },
    { id: 2, runId: 1, labelId: 4, score: 0.4, box: [30, 10, 6, 6], rle: square(30, 10, 6) },
    { id: 3, runId: 1, labelId: 9, score: 0.95, box: [20, 20, 6, 6], rle: square(20, 20, 6) },
  ],
  decisions: { 3: 'rejected' },
  undoable: 0,
  redoable: 0,
};

const grey = (): { width: number; height: number; data: Uint8Array } => ({
  width: 40,
  height: 30,
  data: new Uint8Array(40 * 30 * 3).fill(100),
});
const at = (data: Uint8Array, x: number, y: number): number[] => [...data.subarray((y * 40 + x) * 3, (y * 40 + x) * 3 + 3)];

describe('coverage', () => {
  it('fills a rectangle off the grid with exactly its area', () => {
    const cover = fillRings([[2.25, 3.5, 9.75, 3.5, 9.75, 7.25, 2.25, 7.25]], 40, 30);
    expect(sum(cover)).toBeCloseTo(7.5 * 3.75, 4);
  });

  it('fills slanted and round shapes with their area', () => {
    expect(sum(fillRings([[3, 3, 23, 5, 11, 25]], 40, 30))).toBeCloseTo(212, 3);
    const r = 7.3;
    const around = sum(fillRings([roundedRing([10, 8, 2 * r, 2 * r], r)], 40, 30));
    expect(Math.abs(around / (Math.PI * r * r) - 1)).toBeLessThan(0.01);
  });

  it('leaves a hole that runs the other way round', () => {
    const outer = [2, 2, 22, 2, 22, 22, 2, 22];
    const hole = [8, 8, 8, 16, 16, 16, 16, 8];
    expect(sum(fillRings([outer, hole], 40, 30))).toBeCloseTo(400 - 64, 3);
  });

  it('cuts what reaches out of the image', () => {
    expect(sum(fillRings([[-5, -5, 5, -5, 5, 5, -5, 5]], 40, 30))).toBeCloseTo(25, 3);
    expect(fillRings([[50, 50, 60, 50, 60, 60]], 40, 30)).toBeNull();
  });

  it('strokes a line of its width, and dashes leave their share open', () => {
    const ring = [5, 5, 35, 5, 35, 25, 5, 25];
    const solid = sum(strokeRings([ring], 2, null, 40, 30));
    expect(Math.abs(solid / (100 * 2) - 1)).toBeLessThan(0.02);
    const dashed = sum(strokeRings([ring], 2, [7, 5], 40, 30)) / solid;
    expect(dashed).toBeGreaterThan(0.4);
    expect(dashed).toBeLessThan(0.65);
  });
});

describe('what is shown', () => {
  it('is truth by z, then undecided suggestions from the least sure', () => {
    expect(shownInstances(DOCUMENT, null).map((i) => i.colourKey)).toEqual(['annotation-a', 'annotation-b']);
    expect(openSuggestions(DOCUMENT, 0).map((s) => s.id)).toEqual([2, 1]);
    expect(shownInstances(DOCUMENT, 0.5).map((i) => i.score)).toEqual([null, null, 0.9]);
  });

  it('is counted by class in the order of the classes', () => {
    expect(tally(shownInstances(DOCUMENT, 0), LABELS).map(({ label, ...counts }) => [label.name, counts])).toEqual([
      ['nut', { annotations: 1, suggestions: 2 }],
      ['bolt', { annotations: 1, suggestions: 0 }],
    ]);
  });
});

describe('classMap', () => {
  it('gives an overlap to the instance on top and numbers classes from 1', () => {
    const map = classMap(shownInstances(DOCUMENT, null), LABELS, 40, 30);
    const count = (value: number): number => map.reduce((n, v) => n + (v === value ? 1 : 0), 0);
    expect(map[3 * 40 + 3]).toBe(1);
    expect(map[8 * 40 + 8]).toBe(2);
    expect([count(1), count(2), count(0)]).toEqual([64 - 16, 64, 1200 - 112]);
  });
});

describe('drawOverlay', () => {
  it('draws one colour per class without borders in the semantic view', () => {
    const pixels = grey();
    drawOverlay(pixels, { view: 'semantic', instances: shownInstances(DOCUMENT, null), labels: LABELS, lettering: null });
    expect(at(pixels.data, 3, 3)).toEqual([170, 55, 55]);
    expect(at(pixels.data, 6, 6)).toEqual(at(pixels.data, 10, 10));
    expect(at(pixels.data, 13, 13)).toEqual([55, 55, 170]);
    expect(at(pixels.data, 30, 3)).toEqual([100, 100, 100]);
  });

  it('draws only outlines of boxes in the boxes view', () => {
    const pixels = grey();
    drawOverlay(pixels, { view: 'boxes', instances: shownInstances(DOCUMENT, null), labels: LABELS, lettering: null });
    expect(at(pixels.data, 4, 5)).toEqual([100, 100, 100]);
    expect(at(pixels.data, 2, 5)[0]).toBeGreaterThan(200);
  });

  it('fills truth and suggestions by how sure they are in the instance view, each in its own colour', () => {
    const pixels = grey();
    drawOverlay(pixels, { view: 'instance', instances: shownInstances(DOCUMENT, 0.5), labels: LABELS, lettering: null });
    const inside = [at(pixels.data, 4, 4), at(pixels.data, 11, 11), at(pixels.data, 23, 13)];
    expect(new Set(inside.map(String)).size).toBe(3);
    expect(inside.map(String)).not.toContain('100,100,100');
  });

  it('draws nothing but the legend in the tags view', () => {
    const pixels = grey();
    drawOverlay(pixels, { view: 'tags', instances: shownInstances(DOCUMENT, 0), labels: LABELS, lettering: null });
    expect(pixels.data.every((value) => value === 100)).toBe(true);
  });
});
