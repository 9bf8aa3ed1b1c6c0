import { listRings } from '../../shared/geometry/edit-vertex.ts';
import { ringLength, ringPoint, translateGeometry } from '../../shared/geometry/polygon.ts';
import type { Box } from '../../shared/records.ts';
import type { Instance } from '../editor/instances.ts';
import type { Handles, StageView } from '../editor/stage-view.ts';
import { boxHandles } from '../editor/tools/resize.ts';
import type { Draft } from '../editor/tools/tool.ts';
import { midpoints } from '../editor/tools/vertices.ts';
import type { Viewport } from '../editor/viewport.ts';
import { imagePoint, toScreen } from '../editor/viewport.ts';
import { paintMasks, paintPath, paintScribbles } from './findings.ts';
import { ACCENT, HANDLE, INK, square } from './handles.ts';
import { shapeOf } from './paint-views.ts';
import type { Paint } from './paint.ts';
import { inImage } from './paint.ts';
import { pathOf, pathOfPoints } from './paths.ts';
import { paintPill } from './pills.ts';

/** What lies over everything: hover, selection, handles, drafts. All sizes in CSS pixels. */
const LEAST_HANDLE = 1.75;
const MIDPOINT = 2.5;

export interface BrushRing {
  readonly x: number;
  readonly y: number;
  readonly diameter: number;
  readonly erase: boolean;
  /** White where absent. */
  readonly color?: string;
}

/** `scratch`: a second canvas of the same pixels, for a stroke that must not darken where it overlaps. */
export function paintOverlay(paint: Paint, stage: StageView, ring: BrushRing | null, scratch: () => Paint | null): void {
  const { draft, hovered, selected, viewport } = stage;
  if (hovered && stage.isVisible(hovered)) paintHovered(paint, stage, hovered);
  if (draft) paintDraft(paint, stage, draft, scratch);
  if (selected && stage.isVisible(selected) && selected.key !== stage.draftKey) {
    const shape = shapeOf(stage.view, selected);
    if (shape) paintSelected(paint, viewport, pathOf(shape, viewport.scale), selected.score !== null);
    if (shape && selected.score !== null) paintPill(paint, stage, selected);
  }
  if (stage.handles && stage.view !== 'tags') paintHandles(paint, stage, stage.handles);
  if (ring) paintRing(paint, viewport, ring);
}

function paintHovered(paint: Paint, stage: StageView, instance: Instance): void {
  const shape = shapeOf(stage.view, instance);
  if (!shape) return;
  const path = pathOf(shape, stage.viewport.scale);
  inImage(paint, stage.viewport, () => {
    paint.fillStyle = 'rgba(255, 255, 255, 0.08)';
    paint.fill(path, 'evenodd');
    paint.lineJoin = 'round';
    paint.lineWidth = 2.5 / stage.viewport.scale;
    paint.strokeStyle = stage.colorOf(instance);
    if (instance.score !== null) paint.setLineDash([7 / stage.viewport.scale, 5 / stage.viewport.scale]);
    paint.stroke(path);
  });
  paintPill(paint, stage, instance);
}

/** White, with a thin dark edge so that it is seen on white too. */
function paintSelected(paint: Paint, viewport: Viewport, path: Path2D, dashed: boolean): void {
  inImage(paint, viewport, () => {
    paint.lineJoin = 'round';
    paint.strokeStyle = 'rgba(15, 17, 19, 0.65)';
    paint.lineWidth = 4 / viewport.scale;
    paint.stroke(path);
    paint.strokeStyle = '#FFFFFF';
    paint.lineWidth = 2 / viewport.scale;
    if (dashed) paint.setLineDash([7 / viewport.scale, 4 / viewport.scale]);
    paint.stroke(path);
  });
}

function paintHandles(paint: Paint, { viewport, size }: StageView, handles: Handles): void {
  paint.lineWidth = 1.5;
  if (handles.box) {
    for (const handle of boxHandles(handles.box)) square(paint, toScreen(viewport, imagePoint(handle.x, handle.y)), false);
    return;
  }
  for (const middle of midpoints(handles.outline, viewport.scale)) {
    const at = toScreen(viewport, imagePoint(middle.x, middle.y));
    paint.beginPath();
    paint.arc(at.x, at.y, MIDPOINT, 0, 2 * Math.PI);
    paint.fillStyle = '#FFFFFF';
    paint.fill();
    paint.strokeStyle = INK;
    paint.stroke();
  }
  const { width, height } = size;
  for (const { part, ring, points } of listRings(handles.outline)) {
    const taken = new Set(handles.vertices.filter((v) => v.part === part && v.ring === ring).map((v) => v.point));
    const count = ringLength(points);
    for (let i = 0; i < count; i++) {
      const [x, y] = ringPoint(points, i);
      const at = toScreen(viewport, imagePoint(x, y));
      if (at.x < -HANDLE || at.y < -HANDLE || at.x > width + HANDLE || at.y > height + HANDLE) continue;
      // Where vertices lie close together on screen, smaller handles leave the outline to be seen.
      const [px, py] = ringPoint(points, i - 1);
      const [nx, ny] = ringPoint(points, i + 1);
      const nearest = Math.min(Math.hypot(px - x, py - y), Math.hypot(nx - x, ny - y)) * viewport.scale;
      square(paint, at, taken.has(i), Math.min(HANDLE, Math.max(LEAST_HANDLE, nearest / 2.5)));
    }
  }
}

function paintDraft(paint: Paint, stage: StageView, draft: Draft, scratch: () => Paint | null): void {
  const { viewport } = stage;
  switch (draft.kind) {
    case 'box':
      return paintShape(paint, viewport, pathOf({ kind: 'box', box: draft.box }), stage.draftColor);
    case 'marquee':
      return paintMarquee(paint, viewport, draft.box);
    case 'polygon':
      return paintPolygon(paint, stage, draft);
    case 'stroke':
      return paintStroke(paint, stage, draft, scratch);
    case 'change':
    case 'shift': {
      const path = draft.kind === 'change' ? pathOf(draft.geometry) : shifted(stage, draft);
      const instance = stage.selected;
      if (path) paintShape(paint, viewport, path, instance ? stage.colorOf(instance) : stage.draftColor);
      if (path) paintSelected(paint, viewport, path, false);
      return;
    }
    case 'masks':
      return paintMasks(paint, stage, draft);
    case 'scribbles':
      return paintScribbles(paint, stage, draft, scratch);
    case 'path':
      return paintPath(paint, stage, draft);
  }
}

function shifted(stage: StageView, draft: Draft & { kind: 'shift' }): Path2D | null {
  if (!stage.selected) return null;
  if (stage.selected.geometry.kind !== 'mask') return pathOf(translateGeometry(stage.selected.geometry, draft.dx, draft.dy));
  const path = new Path2D();
  path.addPath(pathOf(stage.selected.geometry), new DOMMatrix([1, 0, 0, 1, draft.dx, draft.dy]));
  return path;
}

function paintShape(paint: Paint, viewport: Viewport, path: Path2D, color: string): void {
  inImage(paint, viewport, () => {
    paint.fillStyle = color;
    paint.globalAlpha = 0.24;
    paint.fill(path, 'evenodd');
    paint.globalAlpha = 1;
    paint.strokeStyle = color;
    paint.lineWidth = 2 / viewport.scale;
    paint.stroke(path);
  });
}

function paintMarquee(paint: Paint, viewport: Viewport, box: Box): void {
  const at = toScreen(viewport, imagePoint(box[0], box[1]));
  paint.fillStyle = 'rgba(59, 130, 246, 0.14)';
  paint.strokeStyle = ACCENT;
  paint.lineWidth = 1;
  paint.setLineDash([4, 3]);
  paint.fillRect(at.x, at.y, box[2] * viewport.scale, box[3] * viewport.scale);
  paint.strokeRect(at.x, at.y, box[2] * viewport.scale, box[3] * viewport.scale);
  paint.setLineDash([]);
}

function paintPolygon(paint: Paint, stage: StageView, draft: Draft & { kind: 'polygon' }): void {
  const { viewport } = stage;
  const shown = draft.cursor && !draft.closing ? [...draft.points, draft.cursor] : draft.points;
  const path = pathOfPoints(shown.flatMap((p) => [p.x, p.y]));
  inImage(paint, viewport, () => {
    paint.lineJoin = 'round';
    if (shown.length > 2) {
      paint.fillStyle = stage.draftColor;
      paint.globalAlpha = 0.18;
      paint.fill(path, 'evenodd');
      paint.globalAlpha = 1;
    }
    paint.strokeStyle = 'rgba(15, 17, 19, 0.65)';
    paint.lineWidth = 4 / viewport.scale;
    paint.stroke(path);
    paint.strokeStyle = stage.draftColor;
    paint.lineWidth = 2 / viewport.scale;
    paint.stroke(path);
    const [first, last] = [draft.points[0], draft.closing ? draft.points.at(-1) : draft.cursor];
    if (first && last && draft.points.length > 1) {
      paint.beginPath();
      paint.moveTo(last.x, last.y);
      paint.lineTo(first.x, first.y);
      if (!draft.closing) paint.setLineDash([4 / viewport.scale, 4 / viewport.scale]);
      paint.stroke();
    }
  });
  paint.lineWidth = 1.5;
  draft.points.forEach((point, i) => {
    if (i > 0) return square(paint, toScreen(viewport, point), false);
    const at = toScreen(viewport, point);
    paint.beginPath();
    paint.arc(at.x, at.y, draft.closing ? 7 : 5, 0, 2 * Math.PI);
    paint.fillStyle = draft.closing ? ACCENT : '#FFFFFF';
    paint.fill();
    paint.strokeStyle = draft.closing ? '#FFFFFF' : INK;
    paint.stroke();
  });
}

/** The instance with the stroke on it or out of it, in one even tint. */
function paintStroke(paint: Paint, stage: StageView, draft: Draft & { kind: 'stroke' }, scratch: () => Paint | null): void {
  const second = scratch();
  if (!second) return;
  const instance = draft.target && stage.selected;
  const { viewport } = stage;
  const color = instance ? stage.colorOf(instance) : stage.draftColor;
  inImage(second, viewport, () => {
    second.fillStyle = color;
    second.strokeStyle = color;
    second.lineCap = 'round';
    second.lineJoin = 'round';
    if (instance) second.fill(pathOf(instance.geometry), 'evenodd');
    second.globalCompositeOperation = draft.add ? 'source-over' : 'destination-out';
    second.lineWidth = 2 * draft.radius;
    second.stroke(pathOfPoints(draft.points));
  });
  paint.save();
  // Both canvases have the same device pixels; copy them one to one.
  paint.setTransform(1, 0, 0, 1, 0, 0);
  paint.globalAlpha = 0.45;
  paint.drawImage(second.canvas, 0, 0);
  paint.restore();
}

function paintRing(paint: Paint, viewport: Viewport, ring: BrushRing): void {
  const at = toScreen(viewport, imagePoint(ring.x, ring.y));
  const radius = Math.max(1, (ring.diameter * viewport.scale) / 2);
  for (const [width, color] of [
    [3, 'rgba(15, 17, 19, 0.6)'],
    [ring.color ? 2 : 1.5, ring.color ?? '#FFFFFF'],
  ] as const) {
    paint.beginPath();
    paint.arc(at.x, at.y, radius, 0, 2 * Math.PI);
    paint.lineWidth = width;
    paint.strokeStyle = color;
    paint.stroke();
  }
  if (radius < 4) return;
  paint.beginPath();
  paint.moveTo(at.x - 3, at.y);
  paint.lineTo(at.x + 3, at.y);
  if (!ring.erase) {
    paint.moveTo(at.x, at.y - 3);
    paint.lineTo(at.x, at.y + 3);
  }
  paint.lineWidth = 1.5;
  paint.strokeStyle = '#FFFFFF';
  paint.stroke();
}
