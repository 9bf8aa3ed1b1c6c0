import type { VertexRef } from '../../shared/geometry/edit-vertex.ts';
import type { Camera } from './camera.svelte.ts';
import type { Instance } from './instances.ts';
import { editableOutline } from './outlines.ts';
import { sameSelection } from './selection.ts';
import type { Shown } from './shown.svelte.ts';
import { createNudging } from './nudging.ts';
import type { Handles } from './stage-view.ts';
import type { RunningTool } from './tools/index.ts';
import { RESTING_CURSOR, startTool } from './tools/index.ts';
import type { Asking } from './asking.ts';
import type { AskingInput, Cursor, Draft, Edit, Target, ToolView } from './tools/tool.ts';
import type { Selection, ToolName } from './types.ts';

/** The tool in hand and what it points at: selection, hover, draft. Reactive. None of it is in the document. */
export interface Hand {
  readonly tool: ToolName;
  readonly running: RunningTool;
  readonly drafting: boolean;
  readonly vertices: readonly VertexRef[];
  readonly draft: Draft | null;
  readonly cursor: Cursor;
  readonly handles: Handles | null;
  readonly selected: Instance | null;
  readonly hovered: Instance | null;
  selection: Selection | null;
  hover: Selection | null;
  /** Gives the tool an input; whether it used it. */
  feed(input: AskingInput): boolean;
  /** Moves the selected instance or its taken vertices by image pixels, shown at once, committed by `endNudge` or any input. */
  nudge(dx: number, dy: number): void;
  endNudge(): void;
  /** Drops a gesture and lets taken vertices go. */
  reset(): void;
  take(tool: ToolName): void;
}

export interface HandContext {
  readonly shown: Shown;
  readonly camera: Camera;
  readonly isOpen: boolean;
  readonly activeLabelId: number | null;
  readonly brushPx: number;
  readonly asking: Asking;
  commit(edit: Edit): void;
  /** Tells the user why what they did had no effect. */
  notice(text: string): void;
}

/** Inputs that do not end a nudge: nobody made them, or only by moving the hand. */
const PASSING: ReadonlySet<AskingInput['kind']> = new Set(['move', 'leave', 'answer', 'answer-failed', 'again']);

export function createHand(context: HandContext): Hand {
  const { shown, camera } = context;
  let running: RunningTool = startTool('select');
  let tool = $state<ToolName>('select');
  let drafting = $state(false);
  let vertices = $state.raw<readonly VertexRef[]>([]);
  let draft = $state.raw<Draft | null>(null);
  let cursor = $state<Cursor>('default');
  let selection = $state.raw<Selection | null>(null);
  let hover = $state.raw<Selection | null>(null);

  const selected = $derived(selection ? shown.find(selection) : null);
  const hovered = $derived(hover && !sameSelection(hover, selection) ? shown.find(hover) : null);
  const handles = $derived.by((): Handles | null => {
    if (tool !== 'select' || !selected || !shown.isVisible(selected) || shown.locked.has(selected.key) || draft?.kind === 'shift')
      return null;
    const geometry = draft?.kind === 'change' ? draft.geometry : selected.geometry;
    if (geometry.kind === 'box') return { outline: [], vertices: [], box: geometry.box };
    return { outline: editableOutline(geometry) ?? [], vertices, box: null };
  });

  function view(): ToolView {
    const find = (which: Selection): Target | null => {
      const instance = shown.find(which);
      if (!instance) return null;
      const { geometry, key } = instance;
      return { selection: which, geometry, locked: shown.locked.has(key), outline: () => editableOutline(geometry) };
    };
    return {
      image: camera.image,
      scale: camera.viewport.scale,
      target: selected && shown.isVisible(selected) ? find(selected.selection) : null,
      canAdd: context.activeLabelId !== null,
      brushPx: context.brushPx,
      hits: shown.hits,
      find,
    };
  }

  function reset(): void {
    context.asking.drop();
    running.reset();
    draft = null;
    drafting = false;
    vertices = [];
    cursor = RESTING_CURSOR[tool];
  }

  const nudging = createNudging({
    get image() {
      return camera.image;
    },
    get movable() {
      return selected && !drafting && !shown.locked.has(selected.key) ? selected : null;
    },
    get vertices() {
      return vertices;
    },
    preview: (next) => (draft = next),
    commit: context.commit,
  });

  function feed(input: AskingInput): boolean {
    if (!context.isOpen) return false;
    if (nudging.active && PASSING.has(input.kind)) return false;
    nudging.end();
    const step = running.feed(input, view());
    if (!step) return false;
    if (step.select !== undefined && !sameSelection(step.select, selection)) selection = step.select;
    if (step.hover !== undefined && !sameSelection(step.hover, hover)) hover = step.hover;
    if (step.cursor !== undefined) cursor = step.cursor;
    if (step.commit) context.commit(step.commit);
    if (step.notice) context.notice(step.notice);
    if (step.forget) context.asking.drop();
    if (step.ask) context.asking.ask(step.ask);
    draft = step.draft ?? null;
    drafting = running.drafting;
    vertices = running.vertices;
    return step.used ?? false;
  }

  return {
    get tool() {
      return tool;
    },
    get running() {
      return running;
    },
    get drafting() {
      return drafting;
    },
    get vertices() {
      return vertices;
    },
    get draft() {
      return draft;
    },
    get cursor() {
      return cursor;
    },
    get handles() {
      return handles;
    },
    get selected() {
      return selected;
    },
    get hovered() {
      return hovered;
    },
    get selection() {
      return selection;
    },
    set selection(next) {
      selection = next;
    },
    get hover() {
      return hover;
    },
    set hover(next) {
      hover = next;
    },
    feed,
    nudge: nudging.move,
    endNudge: nudging.end,
    reset,
    take(name) {
      if (name === tool) return;
      if (drafting) feed({ kind: 'cancel' });
      running = startTool(name);
      tool = name;
      reset();
    },
  };
}
