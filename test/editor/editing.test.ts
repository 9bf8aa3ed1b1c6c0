import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EditorView } from '../../src/renderer/editor/types.ts';
import { temporaryFolder } from '../store-fixtures.ts';
import type { Desk } from './desk.ts';
import { TRIANGLE, openDesk } from './desk.ts';

const root = temporaryFolder();
let desk: Desk;
let editor: EditorView;

beforeEach(async () => {
  desk = await openDesk(root);
  ({ editor } = desk);
});
afterEach(() => desk.close());

describe('suggestions', () => {
  it('are accepted untouched, and the next one is selected', async () => {
    const [first, second] = editor.shownSuggestions;
    editor.selectNext(1);
    expect(editor.selection).toEqual({ kind: 'suggestion', id: first?.id });
    editor.acceptSelected();
    expect(editor.selection).toEqual({ kind: 'suggestion', id: second?.id });
    editor.rejectSelected();
    expect(editor.selection).toBeNull();
    const document = await desk.saved();
    expect(document.decisions).toEqual({ [first?.id ?? 0]: 'accepted', [second?.id ?? 0]: 'rejected' });
    expect(document.annotations).toMatchObject([
      { origin: 'accepted', suggestionId: first?.id, geometry: { kind: 'mask', rle: first?.rle } },
    ]);
    expect(document.revision).toBe(2);
  });

  it('are all accepted in one step, as far as they are shown', async () => {
    editor.minScore = 2;
    expect(editor.minScore).toBe(1);
    editor.acceptAllShown();
    expect(editor.document?.annotations).toEqual([]);
    editor.minScore = 0;
    editor.acceptAllShown();
    expect((await desk.saved()).annotations).toHaveLength(2);
    await editor.undo();
    expect((await desk.saved()).annotations).toEqual([]);
    expect(editor.shownSuggestions).toHaveLength(2);
  });

  it('that are dragged become corrected instances, decided in the same step', async () => {
    desk.drag([
      [12, 12],
      [20, 18],
      [22, 20],
    ]);
    expect(editor.selection?.kind).toBe('annotation');
    const document = await desk.saved();
    expect(document.revision).toBe(1);
    expect(document.annotations).toMatchObject([{ origin: 'corrected', geometry: { kind: 'mask' } }]);
    expect(Object.values(document.decisions)).toEqual(['corrected']);
    await editor.undo();
    expect((await desk.saved()).decisions).toEqual({});
  });

  it('are corrected by the eraser, the brush and a change of class', async () => {
    const lamp = editor.shownSuggestions.find((s) => s.box[2] === 12);
    editor.select({ kind: 'suggestion', id: lamp?.id ?? 0 });
    editor.setTool('eraser');
    editor.brushPx = 4;
    desk.drag([
      [14, 14],
      [15, 14],
    ]);
    expect(editor.document?.annotations).toMatchObject([{ origin: 'corrected', suggestionId: lamp?.id }]);
    const light = editor.shownSuggestions[0];
    editor.select({ kind: 'suggestion', id: light?.id ?? 0 });
    editor.setLabel(lamp?.labelId ?? 0);
    const document = await desk.saved();
    expect(document.annotations.map((a) => [a.origin, a.labelId])).toEqual([
      ['corrected', lamp?.labelId],
      ['corrected', lamp?.labelId],
    ]);
  });

  it('turn from accepted to corrected when touched later, and to rejected when deleted', async () => {
    editor.selectNext(1);
    editor.acceptSelected();
    const id = editor.document?.annotations[0]?.id ?? '';
    editor.select({ kind: 'annotation', id });
    editor.nudge(1, 0);
    editor.endNudge();
    expect(Object.values((await desk.saved()).decisions)).toEqual(['corrected']);
    editor.select({ kind: 'annotation', id });
    editor.deleteSelected();
    const document = await desk.saved();
    expect(document.annotations).toEqual([]);
    expect(Object.values(document.decisions)).toEqual(['rejected']);
  });
});

describe('drawing', () => {
  it('keeps a polygon, a box and a painted mask, in the chosen class', async () => {
    const [, second] = editor.labels;
    editor.setLabel(second?.id ?? 0);
    desk.drawPolygon([
      [1, 30],
      [20, 30],
      [20, 50.25],
    ]);
    editor.setTool('box');
    desk.drag([
      [50, 5],
      [60, 15],
    ]);
    editor.setTool('brush');
    editor.select(null);
    desk.drag([
      [60, 40],
      [70, 40],
    ]);
    const document = await desk.saved();
    expect(document.annotations.map((a) => [a.geometry.kind, a.labelId, a.origin, a.crowd])).toEqual([
      ['polygon', second?.id, 'drawn', false],
      ['box', second?.id, 'drawn', false],
      ['mask', second?.id, 'drawn', false],
    ]);
    expect(document.annotations.map((a) => a.z)).toEqual([1, 2, 3]);
  });

  it('takes the last point back with undo before it undoes an edit', async () => {
    desk.drawPolygon(TRIANGLE);
    editor.setTool('polygon');
    desk.drag([[5, 5]]);
    desk.drag([[25, 5]]);
    await editor.undo();
    expect(editor.drafting).toBe(true);
    await editor.undo();
    expect(editor.drafting).toBe(false);
    expect(editor.document?.annotations).toHaveLength(1);
    await editor.undo();
    expect(editor.document?.annotations).toEqual([]);
    expect(editor.canRedo).toBe(true);
    await editor.redo();
    expect((await desk.saved()).annotations).toHaveLength(1);
  });

  it('duplicates, pastes on another image, raises, marks as crowd', async () => {
    desk.drawPolygon(TRIANGLE);
    editor.duplicateSelected();
    editor.toggleCrowd();
    expect(editor.document?.annotations.map((a) => a.crowd)).toEqual([false, true]);
    editor.raise(-1);
    expect(editor.document?.annotations.map((a) => a.crowd)).toEqual([true, false]);
    editor.copySelected();
    await editor.open(2, 'nowhere');
    editor.paste();
    await editor.open(1, 'nowhere');
    expect((await desk.stored(2)).annotations).toMatchObject([{ crowd: true, origin: 'drawn', geometry: { kind: 'polygon' } }]);
  });

  it('leaves locked and hidden instances alone', async () => {
    desk.drawPolygon(TRIANGLE);
    const { revision } = await desk.saved();
    const id = editor.document?.annotations[0]?.id ?? '';
    editor.toggleLocked(id);
    editor.nudge(3, 0);
    editor.endNudge();
    editor.deleteSelected();
    desk.drag([
      [15, 35],
      [30, 35],
    ]);
    editor.toggleLocked(id);
    editor.toggleHidden(id);
    editor.select(null);
    desk.drag([[15, 35]]);
    expect(editor.selection).toBeNull();
    expect((await desk.saved()).revision).toBe(revision);
  });

  it('deletes taken vertices before the instance', async () => {
    desk.drawPolygon([
      [1, 30],
      [20, 30],
      [20, 50],
      [1, 50],
    ]);
    desk.drag([[20, 30]], { shift: true });
    editor.deleteSelected();
    expect(editor.document?.annotations).toMatchObject([{ geometry: { parts: [{ outer: [1, 30, 20, 50, 1, 50] }] } }]);
    editor.deleteSelected();
    expect((await desk.saved()).annotations).toEqual([]);
  });
});
