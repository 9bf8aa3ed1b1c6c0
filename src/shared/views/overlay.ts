import { ringsOfParts } from '../geometry/polygon.ts';
import { rasterizePatch } from '../mask/raster.ts';
import type { Box, Label } from '../records.ts';
import { classMap } from './class-map.ts';
import type { Pixels } from './coverage.ts';
import { blend, fillRings, rgbOf, roundedRing, strokeRings, tint } from './coverage.ts';
import type { Lettering } from './lettering.ts';
import type { ShownInstance } from './scene.ts';
import { boxRing, partsOf, tally } from './scene.ts';
import { instanceColor, SEMANTIC_FILL, SUGGESTION_FILL, TRUTH_FILL, UNKNOWN_COLOR } from './view.ts';
import type { View } from './view.ts';

/** Sizes for an image whose longer side is 1000 px; larger ones grow, so that it looks the same when it is fitted to a screen. */
const LINE = 2;
const DASH = [7, 5] as const;
const TEXT = 12;
const PILL = 19;
const PADDING = 8;
const GAP = 5;
const INK = '#E4E7EA';
const GROUND = '#0F1113';

/** What to draw over an image. */
export interface Overlay {
  readonly view: View;
  /** In paint order; see `shownInstances`. */
  readonly instances: readonly ShownInstance[];
  readonly labels: readonly Label[];
  /** Null draws no text, and no legend. */
  readonly lettering: Lettering | null;
}

/** Draws one of the four views over an image as the window shows it, in place. */
export function drawOverlay(pixels: Pixels, overlay: Overlay): void {
  const unit = Math.max(1, Math.max(pixels.width, pixels.height) / 1000);
  const pen = createPen(pixels, overlay, unit);
  switch (overlay.view) {
    case 'instance':
      for (const instance of overlay.instances) pen.mask(instance);
      pen.names((instance) => pen.pillOver(instance));
      return;
    case 'boxes':
      for (const instance of overlay.instances) pen.box(instance);
      pen.names((instance) => pen.pillAt(instance));
      return;
    case 'semantic':
      pen.classes();
      pen.legend();
      return;
    case 'tags':
      pen.legend();
  }
}

interface Pen {
  mask(instance: ShownInstance): void;
  box(instance: ShownInstance): void;
  classes(): void;
  /** The names that have room, the topmost first. */
  names(place: (instance: ShownInstance) => Box): void;
  pillOver(instance: ShownInstance): Box;
  pillAt(instance: ShownInstance): Box;
  /** Classes with their colours and counts, down the left side. */
  legend(): void;
}

function createPen(pixels: Pixels, { view, instances, labels, lettering }: Overlay, unit: number): Pen {
  const { width, height } = pixels;
  const byId = new Map(labels.map((label) => [label.id, label]));
  const colorOf = (instance: ShownInstance): string =>
    view === 'instance' ? instanceColor(instance.colourKey) : (byId.get(instance.labelId)?.color ?? UNKNOWN_COLOR);
  const text = TEXT * unit;
  const dash = [DASH[0] * unit, DASH[1] * unit] as const;

  function textOf({ labelId, score }: ShownInstance): string {
    const name = shortened(byId.get(labelId)?.name ?? `class ${labelId}`);
    return score === null ? name : `${name} ${score.toFixed(2)}`;
  }

  function stroke(rings: readonly (readonly number[])[], instance: ShownInstance): void {
    const dashed = instance.score !== null && Math.max(instance.box[2], instance.box[3]) >= 18 * unit;
    tint(pixels, strokeRings(rings, LINE * unit, dashed ? dash : null, width, height), rgbOf(colorOf(instance)));
  }

  function pillSize(instance: ShownInstance): readonly [number, number] {
    return [(lettering?.width(textOf(instance), text) ?? 0) + 2 * PADDING * unit, PILL * unit];
  }

  /** A box of this size as near to (x, y) as the image allows. */
  function within(x: number, y: number, w: number, h: number): Box {
    return [Math.min(Math.max(2, x), Math.max(2, width - w - 2)), Math.min(Math.max(2, y), Math.max(2, height - h - 2)), w, h];
  }

  function pill(at: Box, words: string, color: string): void {
    if (!lettering) return;
    const ring = roundedRing(at, at[3] / 2);
    tint(pixels, fillRings([ring], width, height), rgbOf(GROUND), 0.86);
    tint(pixels, strokeRings([ring], 1.25 * unit, null, width, height), rgbOf(color));
    write(words, at[0] + PADDING * unit, at[1] + at[3] / 2);
  }

  /** A line of text whose middle lies at height y. */
  function write(words: string, x: number, y: number): void {
    if (lettering) tint(pixels, fillRings(lettering.rings(words, text, x, y + text * 0.36), width, height), rgbOf(INK));
  }

  return {
    mask(instance) {
      const patch = rasterizePatch(instance.geometry, width, height);
      if (!patch) return;
      const { bitmap, x, y } = patch;
      const cover = { x, y, width: bitmap.width, height: bitmap.height, data: Float32Array.from(bitmap.data) };
      tint(pixels, cover, rgbOf(colorOf(instance)), instance.score === null ? TRUTH_FILL : SUGGESTION_FILL);
      stroke(ringsOfParts(partsOf(instance.geometry)), instance);
    },
    box: (instance) => stroke([boxRing(instance.box)], instance),
    classes() {
      const map = classMap(instances, labels, width, height);
      const colors = labels.map((label) => rgbOf(label.color));
      for (let i = 0; i < map.length; i++) {
        const color = colors[(map[i] ?? 0) - 1];
        if (color) blend(pixels.data, i * 3, color, SEMANTIC_FILL);
      }
    },
    names(place) {
      if (!lettering) return;
      const placed: Box[] = [];
      for (const instance of [...instances].reverse()) {
        const at = place(instance);
        const gap = 2 * unit;
        const covers = placed.some(
          (b) => at[0] < b[0] + b[2] + gap && b[0] < at[0] + at[2] + gap && at[1] < b[1] + b[3] + gap && b[1] < at[1] + at[3] + gap,
        );
        if (covers) continue;
        placed.push(at);
        pill(at, textOf(instance), colorOf(instance));
      }
    },
    pillOver(instance) {
      const [w, h] = pillSize(instance);
      const [x, y, boxWidth] = instance.box;
      return within(x + boxWidth / 2 - w / 2, y - GAP * unit - h, w, h);
    },
    pillAt(instance) {
      const [w, h] = pillSize(instance);
      return within(instance.box[0], instance.box[1] - h, w, h);
    },
    legend() {
      if (!lettering) return;
      const lines = tally(instances, labels).map(({ label, annotations, suggestions }) => {
        const words = `${shortened(label.name)} ${annotations + suggestions}`;
        return { words, color: label.color, width: lettering.width(words, text) };
      });
      if (lines.length === 0) return;
      const row = PILL * unit;
      const pad = PADDING * unit;
      const widest = Math.max(...lines.map((line) => line.width));
      const panel: Box = [pad, pad, widest + 2 * pad + row, lines.length * row + pad];
      tint(pixels, fillRings([roundedRing(panel, 7 * unit)], width, height), rgbOf(GROUND), 0.86);
      lines.forEach(({ words, color }, i) => {
        const middle = panel[1] + pad / 2 + (i + 0.5) * row;
        const side = 10 * unit;
        const swatch = roundedRing([panel[0] + pad, middle - side / 2, side, side], 2.5 * unit);
        tint(pixels, fillRings([swatch], width, height), rgbOf(color));
        write(words, panel[0] + row + pad / 2, middle);
      });
    },
  };
}

function shortened(name: string): string {
  return name.length > 28 ? `${name.slice(0, 27)}…` : name;
}
