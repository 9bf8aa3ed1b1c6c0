import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Draft } from '../../src/renderer/editor/tools/tool.ts';
import type { EditorView } from '../../src/renderer/editor/types.ts';
import { ClassicalState } from '../../src/renderer/state/classical.svelte.ts';
import { rleArea, rleBox } from '../../src/shared/mask/rle.ts';
import type { Rle } from '../../src/shared/records.ts';
import { temporaryFolder } from '../store-fixtures.ts';
import type { Desk } from './desk.ts';
import { openDesk } from './desk.ts';

/** The window's side of the classical methods over the real thread: two bright squares, of 12 and 4 pixels, on black. */
const root = temporaryFolder();
let desk: Desk;
let editor: EditorView;
let classical: ClassicalState;

beforeAll(async () => {
  desk = await openDesk(root);
  ({ editor } = desk);
  classical = new ClassicalState(desk.client, editor);
});
afterAll(() => desk.close());
beforeEach(() => {
  editor.cancelDraft();
  editor.setTool('select');
  editor.select(null);
});

function regions(draft: Draft | null): readonly Rle[] {
  return draft?.kind === 'scribbles' && !draft.pending ? draft.masks.map(({ rle }) => rle) : [];
}

async function shown(count: number): Promise<readonly Rle[]> {
  await expect.poll(() => regions(editor.stage.draft).length, { timeout: 60_000 }).toBe(count);
  return regions(editor.stage.draft);
}

describe('classical methods in the window', () => {
  it('preview K-means with the parameters that are set, and keep it as suggestions', async () => {
    classical.take('kmeans');
    classical.follow();
    expect(editor.drafting).toBe(true);
    classical.set('kmeans', { k: 2 });
    const [dark, bright] = await shown(2);
    expect([rleArea(dark!), rleArea(bright!)]).toEqual([80 * 60 - 160, 160]);
    expect(classical.told).toMatchObject({ tool: 'kmeans', found: 2, work: { width: 80, height: 60 } });
    expect(classical.busy).toBe(false);
    // All of them as the class in hand.
    classical.keepInActiveClass = true;
    editor.finishDraft();
    await expect.poll(() => editor.drafting, { timeout: 60_000 }).toBe(false);
    const { suggestions } = await desk.stored();
    expect(suggestions.map(({ rle }) => rleArea(rle)).sort((a, b) => a - b)).toEqual([160, 80 * 60 - 160]);
    expect(new Set(suggestions.map(({ labelId }) => labelId))).toEqual(new Set([editor.activeLabelId]));
  });

  it('show nothing after Escape, whatever comes', async () => {
    classical.take('mean-shift');
    classical.follow();
    expect(classical.busy).toBe(true);
    editor.cancelDraft();
    classical.cancel();
    await expect.poll(() => classical.busy, { timeout: 60_000 }).toBe(false);
    expect(editor.stage.draft).toBeNull();
    expect(editor.drafting).toBe(false);
  });

  it('make an instance with the wand, to the pixel, in one edit', async () => {
    const before = (await desk.stored()).annotations.length;
    classical.take('wand');
    desk.drag([[12, 12]]);
    await expect.poll(() => editor.stage.draft, { timeout: 60_000 }).toMatchObject({ kind: 'masks', pending: false });
    editor.finishDraft();
    const { annotations } = await desk.saved();
    expect(annotations).toHaveLength(before + 1);
    const made = annotations.at(-1)!.geometry;
    if (made.kind !== 'mask') throw new Error('no mask was made');
    expect([rleArea(made.rle), ...rleBox(made.rle)]).toEqual([144, 8, 8, 12, 12]);
    await editor.undo();
    expect((await desk.saved()).annotations).toHaveLength(before);
  });

  it('remember the method and put its parameters back', () => {
    classical.take('watershed');
    editor.setTool('select');
    classical.take();
    expect(classical.tool).toBe('watershed');
    expect(classical.isInitial('watershed')).toBe(true);
    classical.set('watershed', { smooth: 3 });
    expect(classical.isInitial('watershed')).toBe(false);
    classical.reset('watershed');
    expect(classical.isInitial('watershed')).toBe(true);
  });
});
