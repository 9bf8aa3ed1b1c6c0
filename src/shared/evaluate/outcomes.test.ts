import { describe, expect, it } from 'vitest';
import type { Box } from '../records.ts';
import { seededRandom } from '../scenes/random.ts';
import type { ComparedImage, DetectionObject, TruthObject } from './compare.ts';
import { compareImage } from './compare.ts';
import { addOutcomes, emptyCounts, HIDDEN, IGNORED, outcomesOf, RIGHT, WRONG } from './outcomes.ts';

function truth(x: number, side: number, category = 0, crowd = false): TruthObject {
  return { category, area: side * side, crowd, counts: true, box: [x, 0, side, side], mask: null };
}

function detection(x: number, side: number, score: number, category = 0): DetectionObject {
  const area = side * side;
  return { category, score, area: { segm: area, bbox: area }, box: [x, 0, side, side], mask: null };
}

function compared(truths: TruthObject[], detections: DetectionObject[]): ComparedImage {
  return compareImage(1, truths, detections, { kind: 'bbox', leastIou: 0.1, across: true });
}

describe('outcomes', () => {
  it('say what was right, wrong and missed at a threshold and a score', () => {
    const image = compared([truth(0, 20), truth(50, 20)], [detection(2, 20, 0.9), detection(200, 20, 0.8), detection(50, 20, 0.2)]);
    expect([...outcomesOf(image, 0.5, 0.3).detection]).toEqual([RIGHT, WRONG, HIDDEN]);
    expect([...outcomesOf(image, 0.5, 0.3).found]).toEqual([1, 0]);
    // 18 of 22 columns overlap: 0.818.
    expect([...outcomesOf(image, 0.9, 0).detection]).toEqual([WRONG, WRONG, RIGHT]);
    const counts = emptyCounts(1);
    addOutcomes(counts, image, outcomesOf(image, 0.5, 0.3));
    expect(counts).toMatchObject({ tp: [1], fp: [1], fn: [1], ignored: 0 });
  });

  it('forgive any number of detections inside a crowd', () => {
    const image = compared(
      [truth(0, 20), truth(100, 90, 0, true)],
      [detection(110, 20, 0.95), detection(150, 20, 0.94), detection(0, 20, 0.9)],
    );
    const outcomes = outcomesOf(image, 0.5, 0);
    expect([...outcomes.detection]).toEqual([IGNORED, IGNORED, RIGHT]);
    const counts = emptyCounts(1);
    addOutcomes(counts, image, outcomes);
    expect(counts).toMatchObject({ tp: [1], fp: [0], fn: [0], ignored: 2 });
  });

  it('pair what is left between classes, and only once', () => {
    // A detection of class 1 on a truth of class 0 that class 0 missed; a second one there is of the background.
    const image = compared(
      [truth(0, 20, 0), truth(50, 20, 1)],
      [detection(50, 20, 0.9, 1), detection(0, 20, 0.8, 1), detection(1, 20, 0.7, 1)],
    );
    const counts = emptyCounts(2);
    addOutcomes(counts, image, outcomesOf(image, 0.5, 0));
    expect(counts.confusion).toEqual([
      [0, 1, 0],
      [0, 1, 0],
      [0, 1, 0],
    ]);
    expect(counts).toMatchObject({ tp: [0, 1], fp: [0, 2], fn: [1, 0] });
  });

  it('leave a truth to its own class where that found it', () => {
    const image = compared([truth(0, 20, 0)], [detection(0, 20, 0.9, 1), detection(0, 20, 0.1, 0)]);
    const counts = emptyCounts(2);
    addOutcomes(counts, image, outcomesOf(image, 0.5, 0));
    expect(counts.confusion).toEqual([
      [1, 0, 0],
      [0, 0, 0],
      [0, 1, 0],
    ]);
  });

  it('make rows that sum up to the truths and columns that sum up to the detections, whatever the image', () => {
    for (let seed = 0; seed < 150; seed++) {
      const random = seededRandom(seed);
      const box = (): Box => [random.integer(0, 40), random.integer(0, 40), random.integer(4, 30), random.integer(4, 30)];
      const truths = Array.from({ length: random.integer(0, 8) }, () => ({ ...truth(0, 1, random.integer(0, 2)), box: box() }));
      const found = Array.from({ length: random.integer(0, 12) }, () => ({
        ...detection(0, 1, random.integer(0, 10) / 10, random.integer(0, 2)),
        box: box(),
      }));
      const image = compared(truths, found);
      const least = random.integer(0, 9) / 10;
      const outcomes = outcomesOf(image, random.range(0.1, 0.95), least);
      const counts = emptyCounts(3);
      addOutcomes(counts, image, outcomes);
      const { confusion } = counts;
      for (let c = 0; c < 3; c++) {
        const row = (confusion[c] ?? []).reduce((sum, value) => sum + value, 0);
        const column = confusion.reduce((sum, values) => sum + (values[c] ?? 0), 0);
        expect(row, `seed ${seed}`).toBe(truths.filter(({ category }) => category === c).length);
        expect(column, `seed ${seed}`).toBe(found.filter(({ category, score }) => category === c && score >= least).length);
        expect((counts.tp[c] ?? 0) + (counts.fn[c] ?? 0), `seed ${seed}`).toBe(row);
        expect((counts.tp[c] ?? 0) + (counts.fp[c] ?? 0), `seed ${seed}`).toBe(column);
        expect(confusion[c]?.[c], `seed ${seed}`).toBe(counts.tp[c]);
      }
    }
  });
});
