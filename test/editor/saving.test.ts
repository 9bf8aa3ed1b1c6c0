import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEditor } from '../../src/renderer/editor/editor.svelte.ts';
import type { EditorView } from '../../src/renderer/editor/types.ts';
import { temporaryFolder } from '../store-fixtures.ts';
import type { Desk } from './desk.ts';
import { OTHER_TRIANGLE, TRIANGLE, openDesk } from './desk.ts';

const root = temporaryFolder();
let desk: Desk;
let editor: EditorView;

beforeEach(async () => {
  desk = await openDesk(root);
  ({ editor } = desk);
});
afterEach(() => desk.close());

describe('saving', () => {
  it('shows an edit at once and says saved only after the answer', async () => {
    let arrived = false;
    const original = desk.cut;
    desk.cut = (name) => {
      if (name === 'document.apply') arrived = true;
      return original(name);
    };
    desk.drawPolygon(TRIANGLE);
    expect(editor.document?.annotations).toHaveLength(1);
    expect(editor.save).toEqual({ kind: 'saving' });
    expect(arrived).toBe(false);
    await desk.saved();
    expect(editor.save).toMatchObject({ kind: 'saved', revision: 1 });
  });

  it('keeps edits while the studio is away, in order, and does not leave the image', async () => {
    desk.cut = (name) => (name === 'document.apply' ? 'before' : null);
    desk.drawPolygon(TRIANGLE);
    desk.drawPolygon(OTHER_TRIANGLE);
    await expect(editor.open(2, 'nowhere')).rejects.toThrow('not saved yet');
    expect(editor.document).toMatchObject({ imageId: 1 });
    expect(editor.document?.annotations).toHaveLength(2);
    expect(editor.save).toMatchObject({ kind: 'failed', message: 'The studio does not answer.' });
    expect((await desk.stored()).annotations).toEqual([]);
    desk.cut = () => null;
    await editor.open(2, 'nowhere');
    expect((await desk.stored()).annotations).toHaveLength(2);
    expect((await desk.stored()).revision).toBe(2);
  });

  it('does not save twice when only the answer was lost', async () => {
    let lose = 1;
    desk.cut = (name) => (name === 'document.apply' && lose-- > 0 ? 'after' : null);
    desk.drawPolygon(TRIANGLE);
    await editor.retrySave();
    const document = await desk.saved();
    expect(document.annotations).toHaveLength(1);
    expect(document.revision).toBe(1);
  });

  it('saves on top of a change from elsewhere that it does not touch', async () => {
    const other = createEditor(desk.client);
    other.setLabels(editor.labels);
    await other.open(1, 'nowhere');
    other.minScore = 0;
    other.selectNext(1);
    other.acceptSelected();
    await other.close();
    desk.drawPolygon(TRIANGLE);
    await editor.refresh();
    const document = await desk.saved();
    expect(document.annotations.map((a) => a.origin).sort()).toEqual(['accepted', 'drawn']);
    expect(document.revision).toBe(2);
  });

  it('keeps an edit that no longer fits, says so, and saves it only when asked', async () => {
    desk.drawPolygon(TRIANGLE);
    const { annotations } = await desk.saved();
    const other = createEditor(desk.client);
    await other.open(1, 'nowhere');
    other.select({ kind: 'annotation', id: annotations[0]?.id ?? '' });
    other.deleteSelected();
    await other.close();
    editor.nudge(5, 0);
    editor.endNudge();
    await editor.refresh();
    expect(editor.save).toMatchObject({ kind: 'failed' });
    expect(editor.document?.annotations).toHaveLength(1);
    expect((await desk.stored()).annotations).toEqual([]);
    await editor.retrySave();
    expect((await desk.saved()).annotations).toMatchObject([{ geometry: { parts: [{ outer: [6, 30, 25, 30, 25, 50] }] } }]);
  });

  it('takes back an edit that could not be saved, and can give all of them up', async () => {
    desk.cut = (name) => (name === 'document.apply' ? 'before' : null);
    desk.drawPolygon(TRIANGLE);
    desk.drawPolygon(OTHER_TRIANGLE);
    await editor.undo();
    expect(editor.document?.annotations).toHaveLength(1);
    await editor.discardUnsaved();
    expect(editor.document?.annotations).toEqual([]);
    expect(editor.save).toEqual({ kind: 'clean' });
    desk.cut = () => null;
    await editor.close();
    expect((await desk.stored()).revision).toBe(0);
  });
});
