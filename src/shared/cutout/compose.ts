import type { Bitmap } from '../mask/bitmap.ts';
import type { Rgb } from '../views/coverage.ts';
import { foreground } from './foreground.ts';
import { matte } from './matte.ts';

/** What lies behind a cut-out. A picture's pixels are RGBA of the frame's own size. */
export type Ground =
  | { readonly kind: 'none' }
  | { readonly kind: 'color'; readonly color: Rgb }
  /** From one side to the other; `angle` in degrees, 0 to the right, 90 downwards. */
  | { readonly kind: 'linear'; readonly from: Rgb; readonly to: Rgb; readonly angle: number }
  | { readonly kind: 'picture'; readonly rgba: Uint8Array };

/** Interleaved 8 bit; 4 channels where something can be seen through, else 3. */
export interface Cut {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  readonly data: Uint8Array;
}

/** A frame of this size on which the image's (0, 0) lies at (x, y), in pixels; both may lie outside of the other. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly x: number;
  readonly y: number;
}

/** Side of the pieces in which colours are estimated, and how far each looks beyond itself. */
const TILE = 768;
const AROUND = 48;

/**
 * Cuts an object out: alpha by matting of the mask's border, its own colours without the old background, laid
 * on `ground`. `rgb` is interleaved 8 bit of the mask's size; `softPx` and `soft` as in `matte`.
 */
export function cutOut(rgb: Uint8Array, mask: Bitmap, softPx: number, ground: Ground, frame: Frame, soft: Uint8Array | null = null): Cut {
  const alpha = matte(rgb, mask, softPx, soft);
  const own = softPx > 0 ? ownColors(rgb, alpha, mask.width, mask.height) : rgb;
  return compose(own, alpha, mask.width, mask.height, ground, frame);
}

/** `foreground`, piece by piece, and only where alpha is between 0 and 1: memory does not follow the image. */
function ownColors(rgb: Uint8Array, alpha: Float32Array, width: number, height: number): Uint8Array {
  if (width <= TILE && height <= TILE) return foreground(rgb, alpha, width, height);
  const out = rgb.slice();
  for (let top = 0; top < height; top += TILE) {
    for (let left = 0; left < width; left += TILE) {
      const [right, bottom] = [Math.min(width, left + TILE), Math.min(height, top + TILE)];
      if (!hasBorder(alpha, width, left, top, right, bottom)) continue;
      const [x0, y0] = [Math.max(0, left - AROUND), Math.max(0, top - AROUND)];
      const [w, h] = [Math.min(width, right + AROUND) - x0, Math.min(height, bottom + AROUND) - y0];
      const colors = new Uint8Array(w * h * 3);
      const cover = new Float32Array(w * h);
      for (let y = 0; y < h; y++) {
        const from = (y + y0) * width + x0;
        colors.set(rgb.subarray(from * 3, (from + w) * 3), y * w * 3);
        cover.set(alpha.subarray(from, from + w), y * w);
      }
      const own = foreground(colors, cover, w, h);
      for (let y = top; y < bottom; y++) {
        const at = (y - y0) * w + left - x0;
        out.set(own.subarray(at * 3, (at + right - left) * 3), (y * width + left) * 3);
      }
    }
  }
  return out;
}

function hasBorder(alpha: Float32Array, width: number, left: number, top: number, right: number, bottom: number): boolean {
  for (let y = top; y < bottom; y++) {
    for (let i = y * width + left; i < y * width + right; i++) {
      const a = alpha[i] ?? 0;
      if (a > 0 && a < 1) return true;
    }
  }
  return false;
}

/** Lays colours with their alpha on a ground. Colours under alpha 0 are black: nothing of the image stays in the file. */
export function compose(rgb: Uint8Array, alpha: Float32Array, width: number, height: number, ground: Ground, frame: Frame): Cut {
  const { data, channels } = lay(ground, frame);
  const right = Math.min(frame.width, frame.x + width);
  const bottom = Math.min(frame.height, frame.y + height);
  for (let y = Math.max(0, frame.y); y < bottom; y++) {
    for (let x = Math.max(0, frame.x); x < right; x++) {
      const i = (y - frame.y) * width + x - frame.x;
      const a = alpha[i] ?? 0;
      if (a <= 0) continue;
      const o = (y * frame.width + x) * channels;
      const under = channels === 4 ? (data[o + 3] ?? 0) / 255 : 1;
      const sum = a + under * (1 - a);
      // "Over" with straight alpha (Porter & Duff 1984).
      for (let c = 0; c < 3; c++) data[o + c] = Math.round((a * (rgb[i * 3 + c] ?? 0) + (1 - a) * under * (data[o + c] ?? 0)) / sum);
      if (channels === 4) data[o + 3] = Math.round(sum * 255);
    }
  }
  return { width: frame.width, height: frame.height, channels, data };
}

function lay(ground: Ground, { width, height }: Frame): { readonly data: Uint8Array; readonly channels: 3 | 4 } {
  switch (ground.kind) {
    case 'none':
      return { data: new Uint8Array(width * height * 4), channels: 4 };
    case 'picture': {
      let opaque = true;
      for (let i = 3; i < ground.rgba.length && opaque; i += 4) opaque = ground.rgba[i] === 255;
      if (!opaque) return { data: ground.rgba.slice(), channels: 4 };
      const data = new Uint8Array(width * height * 3);
      for (let i = 0, o = 0; o < data.length; i += 4, o += 3) data.set(ground.rgba.subarray(i, i + 3), o);
      return { data, channels: 3 };
    }
    case 'color':
    case 'linear': {
      const data = new Uint8Array(width * height * 3);
      const at = ground.kind === 'color' ? () => ground.color : gradient(ground, width, height);
      for (let y = 0, o = 0; y < height; y++) for (let x = 0; x < width; x++, o += 3) data.set(at(x, y), o);
      return { data, channels: 3 };
    }
  }
}

/** As CSS has it: the colours' ends lie where the line through the middle meets the farthest corners. */
function gradient({ from, to, angle }: Ground & { kind: 'linear' }, width: number, height: number): (x: number, y: number) => Rgb {
  const [dx, dy] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  const length = Math.abs(dx) * width + Math.abs(dy) * height;
  const mixed = Array.from({ length: 1025 }, (_, i): Rgb => {
    const mix = (c: 0 | 1 | 2): number => Math.round(from[c] + ((to[c] - from[c]) * i) / 1024);
    return [mix(0), mix(1), mix(2)];
  });
  return (x, y) => {
    const t = ((x + 0.5 - width / 2) * dx + (y + 0.5 - height / 2) * dy) / length + 0.5;
    return mixed[Math.round(Math.min(1, Math.max(0, t)) * 1024)] ?? from;
  };
}
