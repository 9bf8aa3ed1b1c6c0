import type { Geometry } from '../../../shared/records.ts';
import { byPickOrder, indexInstances } from '../instances.ts';
import { editableOutline } from '../outlines.ts';
import { sameSelection, selectionKey } from '../selection.ts';
import type { Selection } from '../types.ts';
import type { Ask } from './ask.ts';
import type { Draft, Edit, Input, Modifiers, Step, Target, Tool, ToolView } from './tool.ts';
import { NO_MODIFIERS } from './tool.ts';

export interface Scene {
  readonly instances: readonly { readonly selection: Selection; readonly geometry: Geometry; readonly locked?: boolean }[];
  readonly selected?: Selection;
  readonly scale?: number;
  readonly brushPx?: number;
  readonly canAdd?: boolean;
  readonly image?: { readonly width: number; readonly height: number };
}

export interface Player<S, More = never> {
  readonly state: S;
  readonly draft: Draft | null;
  readonly commits: readonly Edit[];
  readonly selection: Selection | null;
  readonly hover: Selection | null;
  readonly last: Step<S>;
  /** What the tool asked, in its order. */
  readonly asked: readonly Ask[];
  readonly notices: readonly string[];
  feed(input: Input | More): Step<S>;
  press(x: number, y: number, modifiers?: Partial<Modifiers>, clicks?: number): void;
  move(x: number, y: number, modifiers?: Partial<Modifiers>): void;
  release(x: number, y: number, modifiers?: Partial<Modifiers>): void;
  click(x: number, y: number, modifiers?: Partial<Modifiers>, clicks?: number): void;
  drag(points: readonly (readonly [x: number, y: number])[], modifiers?: Partial<Modifiers>): void;
}

/** Feeds a tool as the editor does: selection and committed geometries take effect at once. */
export function play<S, More = never>(tool: Tool<S, Input | More>, scene: Scene): Player<S, More> {
  let instances = [...scene.instances];
  let selection: Selection | null = scene.selected ?? null;
  let hover: Selection | null = null;
  let state = tool.start;
  let draft: Draft | null = null;
  let last: Step<S> = { state };
  const commits: Edit[] = [];
  const asked: Ask[] = [];
  const notices: string[] = [];

  const find = (which: Selection): Target | null => {
    const found = instances.find((i) => sameSelection(i.selection, which));
    return found
      ? { selection: which, geometry: found.geometry, locked: found.locked ?? false, outline: () => editableOutline(found.geometry) }
      : null;
  };

  function view(): ToolView {
    const index = indexInstances(
      instances.map(({ selection: which, geometry }, z) => {
        const bounds = { minX: -1e6, minY: -1e6, maxX: 1e6, maxY: 1e6 };
        return { ...bounds, selection: which, key: selectionKey(which), geometry, labelId: 1, score: null, z, colourKey: '' };
      }),
    );
    return {
      image: scene.image ?? { width: 100, height: 80 },
      scale: scene.scale ?? 1,
      target: selection && find(selection),
      canAdd: scene.canAdd ?? true,
      brushPx: scene.brushPx ?? 10,
      hits: (at) =>
        index
          .at(at)
          .sort(byPickOrder)
          .map((i) => i.selection),
      find,
    };
  }

  function feed(input: Input | More): Step<S> {
    last = tool.step(state, input, view());
    state = last.state;
    draft = last.draft ?? null;
    if (last.select !== undefined) selection = last.select;
    if (last.hover !== undefined) hover = last.hover;
    if (last.ask) asked.push(last.ask);
    if (last.notice) notices.push(last.notice);
    const edit = last.commit;
    if (edit) commits.push(edit);
    if (edit?.kind === 'replace')
      instances = instances.map((i) => (sameSelection(i.selection, edit.target) ? { ...i, geometry: edit.geometry } : i));
    if (edit?.kind === 'remove') instances = instances.filter((i) => !sameSelection(i.selection, edit.target));
    return last;
  }

  const player: Player<S, More> = {
    get state() {
      return state;
    },
    get draft() {
      return draft;
    },
    get selection() {
      return selection;
    },
    get hover() {
      return hover;
    },
    get last() {
      return last;
    },
    commits,
    asked,
    notices,
    feed,
    press: (x, y, modifiers, clicks = 1) =>
      void feed({ kind: 'press', at: { x, y }, modifiers: { ...NO_MODIFIERS, ...modifiers }, clicks }),
    move: (x, y, modifiers) => void feed({ kind: 'move', at: { x, y }, modifiers: { ...NO_MODIFIERS, ...modifiers } }),
    release: (x, y, modifiers) => void feed({ kind: 'release', at: { x, y }, modifiers: { ...NO_MODIFIERS, ...modifiers } }),
    click(x, y, modifiers, clicks) {
      player.press(x, y, modifiers, clicks);
      player.release(x, y, modifiers);
    },
    drag(points, modifiers) {
      const [first, ...rest] = points;
      const end = points.at(-1);
      if (!first || !end) return;
      player.press(...first, modifiers);
      for (const point of rest) player.move(...point, modifiers);
      player.release(...end, modifiers);
    },
  };
  return player;
}

export function rectangle(x: number, y: number, width: number, height: number): Geometry {
  return { kind: 'polygon', parts: [{ outer: [x, y, x + width, y, x + width, y + height, x, y + height], holes: [] }] };
}
