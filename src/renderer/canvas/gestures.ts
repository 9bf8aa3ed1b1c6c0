import type { StageView } from '../editor/stage-view.ts';
import type { Modifiers } from '../editor/tools/tool.ts';
import type { ScreenPoint } from '../editor/viewport.ts';
import { pointedImage, screenPoint } from '../editor/viewport.ts';

/** Zoom per wheel step of 100, and per unit of a trackpad pinch (which arrives as ctrl + wheel). */
const WHEEL_RATE = 0.0016;
const PINCH_RATE = 0.012;
const LINE_HEIGHT = 33;
/** Two presses within this time and distance are a double click. */
const DOUBLE_MS = 400;
const DOUBLE_REACH = 6;

export interface Gestures {
  /** Space is down: the pointer pans. */
  readonly onPan: (state: 'off' | 'ready' | 'dragging') => void;
}

/**
 * Turns pointer, wheel and space events on the canvas into tool inputs, panning and zooming. Answers with
 * the way to stop.
 */
export function listenToGestures(element: HTMLElement, stage: StageView, gestures: Gestures): () => void {
  let panning: { pointerId: number; last: ScreenPoint } | null = null;
  let pressed: number | null = null;
  let spaceDown = false;
  /** The pointer is on the canvas, and was moved since the keyboard last moved the focus. */
  let pointing = false;
  let lastPress: { at: ScreenPoint; atMs: number; clicks: number } | null = null;

  const place = (event: MouseEvent): ScreenPoint => {
    const box = element.getBoundingClientRect();
    return screenPoint(event.clientX - box.left, event.clientY - box.top);
  };
  const modifiers = (event: MouseEvent): Modifiers => ({ shift: event.shiftKey, alt: event.altKey, ctrl: event.ctrlKey || event.metaKey });
  const panState = (): void => gestures.onPan(panning ? 'dragging' : spaceDown ? 'ready' : 'off');

  function clicksOf(at: ScreenPoint, atMs: number): number {
    const again = lastPress && atMs - lastPress.atMs < DOUBLE_MS && Math.hypot(at.x - lastPress.at.x, at.y - lastPress.at.y) < DOUBLE_REACH;
    lastPress = { at, atMs, clicks: again && lastPress ? lastPress.clicks + 1 : 1 };
    return lastPress.clicks;
  }

  function onPointerDown(event: PointerEvent): void {
    element.focus({ preventScroll: true });
    if (panning || pressed !== null) return;
    const at = place(event);
    if (event.button === 1 || (event.button === 0 && spaceDown)) {
      event.preventDefault();
      element.setPointerCapture(event.pointerId);
      panning = { pointerId: event.pointerId, last: at };
      panState();
      return;
    }
    const secondary = event.button === 2;
    if (secondary ? !stage.secondary : event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    pressed = event.pointerId;
    stage.input({
      kind: 'press',
      at: pointedImage(stage.viewport, at),
      modifiers: modifiers(event),
      clicks: clicksOf(at, event.timeStamp),
      button: secondary ? 'secondary' : 'primary',
    });
  }

  function onPointerMove(event: PointerEvent): void {
    const at = place(event);
    pointing = true;
    stage.point(at);
    if (panning) {
      if (event.pointerId !== panning.pointerId) return;
      stage.panBy(at.x - panning.last.x, at.y - panning.last.y);
      panning = { ...panning, last: at };
      return;
    }
    if (pressed !== null && event.pointerId !== pressed) return;
    // A stroke wants every place that the pen was at, not only one a frame.
    const events = pressed === null ? [] : event.getCoalescedEvents();
    for (const each of events.length ? events : [event]) {
      stage.input({ kind: 'move', at: pointedImage(stage.viewport, place(each)), modifiers: modifiers(each) });
    }
  }

  function onPointerUp(event: PointerEvent): void {
    if (panning?.pointerId === event.pointerId) {
      panning = null;
      panState();
      return;
    }
    if (pressed !== event.pointerId) return;
    pressed = null;
    stage.input({ kind: 'release', at: pointedImage(stage.viewport, place(event)), modifiers: modifiers(event) });
  }

  /** The system took the pointer away: the gesture is dropped, not committed. */
  function onPointerCancel(event: PointerEvent): void {
    if (panning?.pointerId === event.pointerId) {
      panning = null;
      panState();
    }
    if (pressed !== event.pointerId) return;
    pressed = null;
    stage.input({ kind: 'cancel' });
  }

  function onPointerLeave(): void {
    pointing = false;
    stage.point(null);
    if (pressed === null && !panning) stage.input({ kind: 'leave' });
  }

  function onWheel(event: WheelEvent): void {
    event.preventDefault();
    const unit =
      event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_HEIGHT : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? stage.size.height : 1;
    const dy = event.deltaY * unit;
    const at = place(event);
    if (event.shiftKey) stage.panBy(-(event.deltaX * unit || dy), 0);
    else stage.zoomAt(Math.exp(-Math.max(-600, Math.min(600, dy)) * (event.ctrlKey ? PINCH_RATE : WHEEL_RATE)), at);
    stage.point(at);
  }

  /** Space works fields and dialogs, and a button that was reached by keyboard; else it pans. */
  function isElsewhere(): boolean {
    const focus = document.activeElement;
    if (focus === null || focus === document.body || focus === element) return false;
    return !pointing || focus.matches('input, textarea, select, [contenteditable], [role="slider"], [role="dialog"] *, [role="menu"] *');
  }

  function onKey(event: KeyboardEvent): void {
    if (event.key === 'Tab') pointing = false;
    if (event.code !== 'Space') return;
    if (event.type === 'keyup') {
      // A button that was clicked still has the focus; it must not be pressed by the end of a pan.
      if (spaceDown) event.preventDefault();
      spaceDown = false;
      panState();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || (!spaceDown && isElsewhere())) return;
    event.preventDefault();
    if (event.repeat) return;
    spaceDown = true;
    panState();
  }

  function onBlur(): void {
    spaceDown = false;
    panState();
  }

  const stop = new AbortController();
  const { signal } = stop;
  element.addEventListener('pointerdown', onPointerDown, { signal });
  element.addEventListener('pointermove', onPointerMove, { signal });
  element.addEventListener('pointerup', onPointerUp, { signal });
  element.addEventListener('pointercancel', onPointerCancel, { signal });
  element.addEventListener('pointerleave', onPointerLeave, { signal });
  element.addEventListener('wheel', onWheel, { signal, passive: false });
  element.addEventListener('contextmenu', (event) => event.preventDefault(), { signal });
  // Chromium on Linux pastes on a middle click; here it pans.
  element.addEventListener('auxclick', (event) => event.preventDefault(), { signal });
  window.addEventListener('keydown', onKey, { signal });
  window.addEventListener('keyup', onKey, { signal });
  window.addEventListener('blur', onBlur, { signal });
  return () => stop.abort();
}
