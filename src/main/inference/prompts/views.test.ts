import { describe, expect, it } from 'vitest';
import { closeView, shows, suitableView } from './views.ts';

const image = { width: 640, height: 427 };
const extent = (x: number, y: number, width: number, height: number) => ({ box: [x, y, width, height] as const, points: [] });

describe('the part of an image to look at', () => {
  it('is a square around a small object, within the image, with room around it', () => {
    for (const object of [extent(300, 200, 40, 30), extent(0, 0, 30, 60), extent(600, 400, 40, 27)]) {
      const view = closeView(object, image);
      expect(view).not.toBeNull();
      if (!view) continue;
      expect(view.width).toBe(view.height);
      expect(view.x).toBeGreaterThanOrEqual(0);
      expect(view.y + view.height).toBeLessThanOrEqual(image.height);
      expect(view.width).toBeGreaterThanOrEqual(2 * Math.max(object.box[2], object.box[3]));
      expect(shows(view, object, image)).toBe(true);
    }
  });

  it('is none for a large object', () => {
    expect(closeView(extent(100, 100, 260, 200), image)).toBeNull();
  });

  it('holds every click', () => {
    const object = { box: [300, 200, 30, 30] as const, points: [{ x: 420, y: 215 }] };
    const view = closeView(object, image);
    expect(view && view.x + view.width).toBeGreaterThan(420);
  });

  it('still does for a mask that changed by a few pixels, so that it need not be encoded again', () => {
    const view = closeView(extent(300, 200, 40, 30), image);
    expect(suitableView(view ? [view] : [], extent(297, 198, 44, 35), image)).toEqual(view);
  });

  it('is taken from those kept where one shows the object well, the closest first', () => {
    const object = extent(300, 200, 40, 30);
    const near = { x: 260, y: 160, width: 120, height: 120 };
    const wide = { x: 230, y: 130, width: 150, height: 150 };
    const whole = { x: 0, y: 0, ...image };
    expect(suitableView([whole, wide, near], object, image)).toEqual(near);
    expect(suitableView([whole, wide], object, image)).toEqual(wide);
    // Far too wide, or cutting the object off.
    expect(suitableView([whole, { x: 310, y: 200, width: 120, height: 120 }], object, image)).toBeNull();
  });
});
