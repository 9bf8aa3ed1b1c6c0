import type { ImageDocument } from '../../shared/records.ts';
import type { Camera } from './camera.svelte.ts';
import type { Hand } from './hand.svelte.ts';
import { selectionKey } from './selection.ts';
import type { Shown } from './shown.svelte.ts';
import type { ShownImage, StageView } from './stage-view.ts';
import type { Pointer } from './types.ts';
import { isInside, toImage } from './viewport.ts';

export interface StageContext {
  readonly camera: Camera;
  readonly shown: Shown;
  readonly hand: Hand;
  readonly document: ImageDocument | null;
  readonly image: ShownImage | null;
  readonly activeLabelId: number | null;
  setPointer(pointer: Pointer | null): void;
}

/** The canvas's side of the editor: nothing of its own, only what others hold, read where it is needed. */
export function createStageView(context: StageContext): StageView {
  const { camera, shown, hand } = context;
  return {
    get viewport() {
      return camera.viewport;
    },
    get size() {
      return camera.size;
    },
    get image() {
      return context.image;
    },
    get view() {
      return shown.view;
    },
    get annotations() {
      return shown.annotations;
    },
    get suggestions() {
      return shown.suggestions;
    },
    get selected() {
      return hand.selected;
    },
    get hovered() {
      return hand.hovered;
    },
    get handles() {
      return hand.handles;
    },
    get draft() {
      return hand.draft;
    },
    get draftKey() {
      const { draft } = hand;
      return draft && 'target' in draft && draft.target ? selectionKey(draft.target) : null;
    },
    get cursor() {
      return hand.cursor;
    },
    get secondary() {
      return hand.running.secondary;
    },
    get draftColor() {
      return shown.labelOf(context.activeLabelId ?? 0)?.color ?? '#FFFFFF';
    },
    colorOf: shown.colorOf,
    isVisible: shown.isVisible,
    nameOf: (labelId) => shown.labelOf(labelId)?.name ?? `class ${labelId}`,
    setSize: camera.setSize,
    input: (input) => void hand.feed(input),
    point(at) {
      const place = at && context.document ? toImage(camera.viewport, at) : null;
      context.setPointer(place && isInside(place, camera.image) ? { x: place.x, y: place.y } : null);
    },
    panBy: camera.panBy,
    zoomAt: (factor, anchor) => camera.zoomTo(camera.viewport.scale * factor, anchor),
  };
}
