import type { Page } from 'playwright/test';

export const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** What the layer of annotations shows at these places of the image, as `r,g,b,a` parted by spaces. */
export async function shownPixels(page: Page, points: readonly (readonly [x: number, y: number])[]): Promise<string> {
  return page.evaluate((places) => {
    const view = window.__maskloop?.viewport();
    const layer = document.querySelectorAll<HTMLCanvasElement>('[data-testid="canvas"] canvas')[1];
    const paint = layer?.getContext('2d');
    if (!view || !layer || !paint) throw new Error('there is no layer of annotations');
    const ratio = layer.width / layer.getBoundingClientRect().width;
    return places
      .map(([x, y]) =>
        [
          ...paint.getImageData(Math.round((view.x + x * view.scale) * ratio), Math.round((view.y + y * view.scale) * ratio), 1, 1).data,
        ].join(','),
      )
      .join(' ');
  }, points);
}
