import type { VertexRef } from '../../shared/geometry/edit-vertex.ts';
import type { PolygonPart } from '../../shared/records.ts';
import type { View } from '../../shared/views/view.ts';
import type { Instance, InstanceIndex } from './instances.ts';
import type { Cursor, Draft, Input } from './tools/tool.ts';
import type { ScreenPoint, Size, Viewport } from './viewport.ts';

/** The image as it can be drawn; `naturalWidth` x `naturalHeight` are the document's. */
export type ShownImage = HTMLImageElement;

/** Vertices and edges of the selected instance that can be dragged. */
export interface Handles {
  /** Rings with vertices; empty for a box. */
  readonly outline: readonly PolygonPart[];
  readonly vertices: readonly VertexRef[];
  readonly box: readonly [x: number, y: number, width: number, height: number] | null;
}

/** What the canvas reads, and how it feeds gestures. Everything readable is reactive. */
export interface StageView {
  readonly viewport: Viewport;
  /** Size of the canvas element, CSS pixels. */
  readonly size: Size;
  readonly image: ShownImage | null;
  readonly view: View;
  readonly annotations: InstanceIndex;
  /** All undecided suggestions; those below `minScore` are not shown. */
  readonly suggestions: InstanceIndex;
  readonly selected: Instance | null;
  readonly hovered: Instance | null;
  readonly handles: Handles | null;
  readonly draft: Draft | null;
  /** Key of the instance that the draft is about to change, null without one. */
  readonly draftKey: string | null;
  readonly cursor: Cursor;
  /** Whether the tool takes presses of the secondary button. */
  readonly secondary: boolean;
  /** Colour of a new instance and of each class, `#RRGGBB`. */
  readonly draftColor: string;
  colorOf(instance: Instance): string;
  isVisible(instance: Instance): boolean;
  nameOf(labelId: number): string;
  setSize(size: Size): void;
  input(input: Input): void;
  /** The pointer is over this place of the canvas, or has left it. */
  point(at: ScreenPoint | null): void;
  panBy(dx: number, dy: number): void;
  zoomAt(factor: number, anchor: ScreenPoint): void;
}
