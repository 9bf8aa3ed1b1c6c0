import type { Box, Rle } from '../../shared/records.ts';
import { boxOf, maskGeometry } from '../editor/outlines.ts';
import type { StageView } from '../editor/stage-view.ts';
import type { MasksDraft, PathDraft, ScribblesDraft } from '../editor/tools/draft.ts';
import type { Bounds, Viewport } from '../editor/viewport.ts';
import { imagePoint, toScreen } from '../editor/viewport.ts';
import { ACCENT, INK, dot, square } from './handles.ts';
import type { Paint } from './paint.ts';
import { inImage } from './paint.ts';
import { pathOf, pathOfPoints } from './paths.ts';
import { paintTextPill } from './pills.ts';

/** Drafts that a model or a method has a part in: dashed, since nobody has accepted them yet. */
const FILL = 0.34;
const FAINT_FILL = 0.14;
const REGION_FILL = 0.42;
const DASH: readonly number[] = [7, 5];
const EDGE = 'rgba(15, 17, 19, 0.7)';

/** The chosen candidate with the places that were pointed out. */
export function paintMasks(paint: Paint, stage: StageView, draft: MasksDraft): void {
  const rle = draft.candidates[draft.chosen];
  if (rle) paintFound(paint, stage.viewport, rle, stage.draftColor, draft.faint ?? false, draft.pending ?? false);
  if (draft.box) paintGiven(paint, stage.viewport, draft.box);
  for (const mark of draft.marks ?? []) dot(paint, toScreen(stage.viewport, imagePoint(mark.x, mark.y)), mark.positive);
  paintText(paint, stage, rle ? [rle] : [], draft.box ?? null, draft.pill ?? null);
}

/** Strokes over the regions found from them so far. */
export function paintScribbles(paint: Paint, stage: StageView, draft: ScribblesDraft, scratch: () => Paint | null): void {
  const { viewport } = stage;
  for (const { rle, color } of draft.masks) {
    if (draft.divides) paintRegion(paint, viewport, rle, color ?? stage.draftColor);
    else paintFound(paint, viewport, rle, color ?? stage.draftColor, false, draft.pending ?? false);
  }
  if (draft.box) paintGiven(paint, viewport, draft.box);
  const second = draft.strokes.length ? scratch() : null;
  if (second) {
    inImage(second, viewport, () => {
      second.lineCap = 'round';
      second.lineJoin = 'round';
      for (const { points, radius, color } of draft.strokes) {
        second.lineWidth = 2 * radius;
        second.strokeStyle = color;
        second.stroke(pathOfPoints(points));
      }
    });
    paint.save();
    // Both canvases have the same device pixels; copy them one to one.
    paint.setTransform(1, 0, 0, 1, 0, 0);
    paint.globalAlpha = 0.6;
    paint.drawImage(second.canvas, 0, 0);
    paint.restore();
  }
  const masks = draft.masks.map(({ rle }) => rle);
  paintText(paint, stage, masks, draft.box ?? null, draft.pill ?? null);
}

/** A line along an edge: what is fixed is solid, what follows the cursor dashed. */
export function paintPath(paint: Paint, stage: StageView, draft: PathDraft): void {
  const { viewport } = stage;
  inImage(paint, viewport, () => {
    paint.lineJoin = 'round';
    paint.lineCap = 'round';
    for (const [points, dashed] of [
      [draft.fixed, false],
      [draft.live, true],
    ] as const) {
      if (points.length < 4) continue;
      const path = pathOfPoints(points);
      paint.setLineDash([]);
      paint.strokeStyle = EDGE;
      paint.lineWidth = 4 / viewport.scale;
      paint.stroke(path);
      if (dashed) paint.setLineDash([6 / viewport.scale, 5 / viewport.scale]);
      paint.strokeStyle = stage.draftColor;
      paint.lineWidth = 2 / viewport.scale;
      paint.stroke(path);
    }
  });
  paint.lineWidth = 1.5;
  draft.seeds.forEach((seed, i) => {
    const at = toScreen(viewport, seed);
    if (i > 0) return square(paint, at, false);
    paint.beginPath();
    paint.arc(at.x, at.y, draft.closing ? 7 : 5, 0, 2 * Math.PI);
    paint.fillStyle = draft.closing ? ACCENT : '#FFFFFF';
    paint.fill();
    paint.strokeStyle = draft.closing ? '#FFFFFF' : INK;
    paint.stroke();
  });
}

/** One of the regions that an image was divided into: its neighbours have lines too. */
function paintRegion(paint: Paint, viewport: Viewport, rle: Rle, color: string): void {
  const path = pathOf(maskGeometry(rle), viewport.scale);
  inImage(paint, viewport, () => {
    paint.fillStyle = color;
    paint.globalAlpha = REGION_FILL;
    paint.fill(path, 'evenodd');
    paint.globalAlpha = 0.9;
    paint.lineJoin = 'round';
    paint.strokeStyle = color;
    paint.lineWidth = 1 / viewport.scale;
    paint.stroke(path);
  });
}

function paintFound(paint: Paint, viewport: Viewport, rle: Rle, color: string, faint: boolean, pending: boolean): void {
  const path = pathOf(maskGeometry(rle), viewport.scale);
  inImage(paint, viewport, () => {
    paint.fillStyle = color;
    paint.globalAlpha = faint ? FAINT_FILL : pending ? FILL / 2 : FILL;
    paint.fill(path, 'evenodd');
    paint.lineJoin = 'round';
    paint.globalAlpha = faint ? 0.4 : 1;
    paint.strokeStyle = EDGE;
    paint.lineWidth = 4 / viewport.scale;
    paint.stroke(path);
    paint.globalAlpha = faint ? 0.75 : 1;
    paint.setLineDash(DASH.map((length) => length / viewport.scale));
    paint.strokeStyle = color;
    paint.lineWidth = (faint ? 1.25 : 2) / viewport.scale;
    paint.stroke(path);
  });
}

/** The box that the user gave: thin, so that it is not taken for what was found. */
function paintGiven(paint: Paint, viewport: Viewport, box: Box): void {
  const at = toScreen(viewport, imagePoint(box[0], box[1]));
  const size = [box[2] * viewport.scale, box[3] * viewport.scale] as const;
  paint.lineWidth = 3;
  paint.strokeStyle = EDGE;
  paint.strokeRect(at.x, at.y, ...size);
  paint.lineWidth = 1;
  paint.strokeStyle = '#FFFFFF';
  paint.strokeRect(at.x, at.y, ...size);
}

function paintText(paint: Paint, stage: StageView, masks: readonly Rle[], box: Box | null, text: string | null): void {
  const boxes = masks.length ? masks.map((rle) => boxOf(maskGeometry(rle))) : box ? [box] : [];
  if (!text || !boxes.length) return;
  const bounds: Bounds = {
    minX: Math.min(...boxes.map(([x]) => x)),
    minY: Math.min(...boxes.map(([, y]) => y)),
    maxX: Math.max(...boxes.map(([x, , width]) => x + width)),
    maxY: Math.max(...boxes.map(([, y, , height]) => y + height)),
  };
  paintTextPill(paint, stage, bounds, text, stage.draftColor);
}
