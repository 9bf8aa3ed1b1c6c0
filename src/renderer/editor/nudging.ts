import type { VertexRef } from '../../shared/geometry/edit-vertex.ts';
import { translateGeometry } from '../../shared/geometry/polygon.ts';
import type { Geometry } from '../../shared/records.ts';
import type { Instance } from './instances.ts';
import { editableOutline } from './outlines.ts';
import { offsetWithin } from './tools/select-drag.ts';
import type { Draft, Edit } from './tools/tool.ts';
import { movedWithin } from './tools/vertices.ts';
import type { Size } from './viewport.ts';

export interface NudgingContext {
  readonly image: Size;
  /** What arrow keys move now: null without a selection, with a locked one, or in the middle of a gesture. */
  readonly movable: Instance | null;
  /** Vertices that are taken; with some, only they move. */
  readonly vertices: readonly VertexRef[];
  preview(draft: Draft | null): void;
  commit(edit: Edit): void;
}

/**
 * Moves the selected instance, or its taken vertices, with the arrow keys. A key that is held is one
 * gesture: what it moved is shown at once and becomes one edit when the key is let go.
 */
export interface Nudging {
  readonly active: boolean;
  /** Image pixels. Nothing leaves the image. */
  move(dx: number, dy: number): void;
  /** Commits what was moved. Call before anything else changes the document or the selection. */
  end(): void;
}

export function createNudging(context: NudgingContext): Nudging {
  let moved: { readonly instance: Instance; readonly dx: number; readonly dy: number; readonly geometry: Geometry } | null = null;

  return {
    get active() {
      return moved !== null;
    },
    move(dx, dy) {
      const instance = moved?.instance ?? context.movable;
      if (!instance) return;
      const wish = { dx: (moved?.dx ?? 0) + dx, dy: (moved?.dy ?? 0) + dy };
      const target = instance.selection;
      const outline = context.vertices.length ? editableOutline(instance.geometry) : null;
      if (outline) {
        const geometry = movedWithin({ kind: 'polygon', parts: outline }, context.vertices, wish.dx, wish.dy, context.image);
        moved = { instance, ...wish, geometry };
        context.preview({ kind: 'change', target, geometry });
        return;
      }
      const by = offsetWithin(instance.geometry, wish.dx, wish.dy, context.image);
      moved = { instance, ...by, geometry: translateGeometry(instance.geometry, by.dx, by.dy) };
      context.preview({ kind: 'shift', target, ...by });
    },
    end() {
      if (!moved) return;
      const { instance, dx, dy, geometry } = moved;
      moved = null;
      context.preview(null);
      if (dx || dy) context.commit({ kind: 'replace', target: instance.selection, geometry });
    },
  };
}
