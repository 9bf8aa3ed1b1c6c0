import type { Bounds, ScreenPoint, Size, Viewport } from './viewport.ts';
import { centredOn, clampViewport, fitViewport, pannedBy, screenPoint, visibleBounds, zoomedTo } from './viewport.ts';

const NOTHING: Size = { width: 0, height: 0 };

/** Which part of the image is in view. Reactive. */
export interface Camera {
  readonly viewport: Viewport;
  readonly size: Size;
  readonly image: Size;
  setSize(size: Size): void;
  /** Another image: fitted. */
  setImage(image: Size): void;
  fit(): void;
  /** `anchor` keeps its place; the middle of the view by default. */
  zoomTo(scale: number, anchor?: ScreenPoint): void;
  panBy(dx: number, dy: number): void;
  /** Brings image-space bounds into view when their middle is not. */
  reveal(bounds: Bounds): void;
}

export function createCamera(): Camera {
  let viewport = $state.raw<Viewport>({ scale: 1, x: 0, y: 0 });
  let size = $state.raw<Size>(NOTHING);
  let image = $state.raw<Size>(NOTHING);
  /** The whole image is shown; it stays so when the window changes its size. */
  let fitted = true;

  function fit(): void {
    fitted = true;
    viewport = fitViewport(image, size);
  }

  return {
    get viewport() {
      return viewport;
    },
    get size() {
      return size;
    },
    get image() {
      return image;
    },
    setSize(next) {
      if (next.width === size.width && next.height === size.height) return;
      const dx = (next.width - size.width) / 2;
      const dy = (next.height - size.height) / 2;
      size = next;
      if (fitted) fit();
      else viewport = clampViewport({ ...viewport, x: viewport.x + dx, y: viewport.y + dy }, image, size);
    },
    setImage(next) {
      image = next;
      fit();
    },
    fit,
    zoomTo(scale, anchor = screenPoint(size.width / 2, size.height / 2)) {
      fitted = false;
      viewport = zoomedTo(viewport, scale, anchor, image, size);
    },
    panBy(dx, dy) {
      if (!dx && !dy) return;
      fitted = false;
      viewport = pannedBy(viewport, dx, dy, image, size);
    },
    reveal(bounds) {
      const view = visibleBounds(viewport, size);
      const x = (bounds.minX + bounds.maxX) / 2;
      const y = (bounds.minY + bounds.maxY) / 2;
      if (x >= view.minX && x <= view.maxX && y >= view.minY && y <= view.maxY) return;
      fitted = false;
      viewport = centredOn(viewport, bounds, image, size);
    },
  };
}
