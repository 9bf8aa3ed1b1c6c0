import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { dispatch } from '../../src/main/dispatch.ts';
import type { Bridge, Client } from '../../src/renderer/client.ts';
import { createClient } from '../../src/renderer/client.ts';
import { createEditor } from '../../src/renderer/editor/editor.svelte.ts';
import type { Modifiers } from '../../src/renderer/editor/tools/tool.ts';
import { NO_MODIFIERS } from '../../src/renderer/editor/tools/tool.ts';
import type { EditorView } from '../../src/renderer/editor/types.ts';
import type { Reply } from '../../src/shared/errors.ts';
import type { ImageDocument } from '../../src/shared/records.ts';
import { brightPhoto, createBrightInference } from '../bright-inference.ts';
import { makeStudio } from '../make-studio.ts';

/** What becomes of a call: `before` never arrives, `after` arrives but its answer is lost. */
type Cut = (name: string) => 'before' | 'after' | null;
type Points = readonly (readonly [x: number, y: number])[];

/** Corners where no lamp and no light is; the two lie apart. */
export const TRIANGLE: Points = [
  [1, 30],
  [20, 30],
  [20, 50],
];
export const OTHER_TRIANGLE: Points = [
  [30, 30],
  [50, 30],
  [50, 50],
];

/** An editor over a real studio with its real store; only the wire between them can be cut. */
export interface Desk {
  readonly editor: EditorView;
  readonly client: Client;
  cut: Cut;
  stored(imageId?: number): Promise<ImageDocument>;
  /** Waits for the edits; what is stored must be what is shown. */
  saved(): Promise<ImageDocument>;
  drag(points: Points, modifiers?: Partial<Modifiers>): void;
  drawPolygon(points: Points): void;
  close(): Promise<void>;
}

const LOST: Reply<never> = { ok: false, error: { code: 'io', message: 'The studio does not answer.', detail: {} } };
let desks = 0;

/** Two photographs in a new folder under `root`, suggested on, the first one open. */
export async function openDesk(root: string): Promise<Desk> {
  const folder = join(root, `photos-${++desks}`);
  mkdirSync(folder);
  for (const name of ['1.jpg', '2.jpg']) writeFileSync(join(folder, name), await brightPhoto(220));
  const appFolder = `${folder}-app`;
  const inference = createBrightInference();
  const studio = makeStudio(inference, appFolder);
  let cut: Cut = () => null;
  const bridge: Bridge = {
    pixelRoot: '/pixels/',
    pathOf: (file) => file.name,
    async invoke(name, input) {
      const what = cut(name);
      if (what === 'before') return LOST;
      const reply = await dispatch(studio, name, JSON.parse(JSON.stringify(input)));
      return what === 'after' ? LOST : (JSON.parse(JSON.stringify(reply)) as Reply<unknown>);
    },
    on: (listener) => studio.onEvent(listener),
  };
  const client = createClient(bridge);
  await client.call('project.open', { folder });
  const run = await client.call('predict.start', { modelId: 'bright', scope: { kind: 'folder', untouched: true } });
  await studio.runEnded(run.id);
  const editor = createEditor(client);
  editor.setLabels(await client.call('labels.list', {}));
  editor.minScore = 0;
  await editor.open(1, 'nowhere');
  editor.stage.setSize({ width: 400, height: 400 });

  const stored = (imageId = 1): Promise<ImageDocument> => client.call('document.load', { imageId });
  function drag(points: Points, modifiers: Partial<Modifiers> = {}): void {
    const keys = { ...NO_MODIFIERS, ...modifiers };
    const [first, ...rest] = points.map(([x, y]) => ({ x, y }));
    if (!first) return;
    editor.stage.input({ kind: 'press', at: first, modifiers: keys, clicks: 1 });
    for (const at of rest) editor.stage.input({ kind: 'move', at, modifiers: keys });
    editor.stage.input({ kind: 'release', at: rest.at(-1) ?? first, modifiers: keys });
  }

  return {
    editor,
    client,
    get cut() {
      return cut;
    },
    set cut(next) {
      cut = next;
    },
    stored,
    async saved() {
      await editor.refresh();
      expect(editor.save.kind).toBe('saved');
      const document = await stored();
      expect(JSON.parse(JSON.stringify(editor.document))).toEqual(document);
      return document;
    },
    drag,
    drawPolygon(points) {
      editor.setTool('polygon');
      for (const point of points) drag([point]);
      editor.finishDraft();
      editor.setTool('select');
    },
    close: () => studio.close(),
  };
}
