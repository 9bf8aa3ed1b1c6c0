import { beforeAll, describe, expect, it } from 'vitest';
import type { Rgb } from '../../shared/classical/raster.ts';
import { drawn, pictureOf } from '../../../test/drawn-picture.ts';
import { edgeFeatures } from './edges.ts';
import type { OpenCv } from './opencv.ts';
import { openCv, scoped } from './opencv.ts';
import { createScissors } from './path.ts';

let cv: OpenCv;
const go = (): void => undefined;

beforeAll(async () => {
  [cv] = await openCv();
});

describe('intelligent scissors', () => {
  it('follow the same edge as OpenCV’s own tool', () => {
    const image = drawn(120, 100, 12, (x, y) => (Math.hypot(x - 60, y - 50) < 35 ? [190, 150, 90] : [70, 90, 120]));
    const off = (x: number, y: number): number => Math.abs(Math.hypot(x - 60, y - 50) - 35);
    const { points } = createScissors(cv)(pictureOf(image), [25, 50], [60, 15], 4, go);
    const theirs = opencvPath(image, 25, 50, 60, 15);
    expect(theirs.length).toBeGreaterThan(30);
    for (const [x, y] of theirs) expect(off(x, y)).toBeLessThanOrEqual(2);
    for (let i = 0; i < points.length; i += 2) expect(off(points[i]! - 0.5, points[i + 1]! - 0.5)).toBeLessThanOrEqual(1.5);
    expect(Math.abs(points.length / 2 - theirs.length)).toBeLessThan(8);
  });

  it('decide the way again at full size on a large image', () => {
    const image = drawn(2400, 1600, 6, (x, y) => (Math.hypot(x - 1200, y - 800) < 600 ? [190, 150, 90] : [70, 90, 120]));
    const picture = pictureOf(image);
    const { points, stepPx } = createScissors(cv)(picture, [602, 800], [1200, 198], 6, go);
    expect(stepPx).toBe(1);
    let worst = 0;
    for (let i = 0; i < points.length; i += 2)
      worst = Math.max(worst, Math.abs(Math.hypot(points[i]! - 1200.5, points[i + 1]! - 800.5) - 600));
    expect(worst).toBeLessThanOrEqual(1.5);
    for (let i = 2; i < points.length; i += 2) {
      expect(Math.max(Math.abs(points[i]! - points[i - 2]!), Math.abs(points[i + 1]! - points[i - 1]!))).toBe(1);
    }
  });

  it('see edges between colours of one brightness', () => {
    const image = drawn(60, 40, 0, (x) => (x < 30 ? [200, 60, 60] : [60, 131, 60]));
    const { edge } = edgeFeatures(cv, image);
    for (let y = 2; y < 38; y++) expect([...edge.subarray(y * 60 + 28, y * 60 + 32)]).toContain(1);
    expect(edge.reduce((count, value) => count + value, 0)).toBeLessThan(60);
  });
});

/** The way of OpenCV's own tool, pixel by pixel. */
function opencvPath(image: Rgb, fromX: number, fromY: number, toX: number, toY: number): [number, number][] {
  return scoped((keep) => {
    const picture = keep(new cv.Mat(image.height, image.width, cv.CV_8UC3));
    picture.data.set(image.data);
    const tool = keep(new cv.segmentation_IntelligentScissorsMB());
    tool.setEdgeFeatureCannyParameters(32, 100, 3, false);
    tool.applyImage(picture);
    tool.buildMap(new cv.Point(fromX, fromY));
    const contour = keep(new cv.Mat());
    tool.getContour(new cv.Point(toX, toY), contour);
    return Array.from({ length: contour.rows }, (_, i) => [contour.data32S[i * 2]!, contour.data32S[i * 2 + 1]!]);
  });
}
