import { join } from 'node:path';
import { expect, it } from 'vitest';
import { randomFrom } from '../../../test/kill/random.ts';
import { adding, annotation, seed, temporaryFolder } from '../../../test/store-fixtures.ts';
import { EMPTY_DIFF } from '../../shared/diff.ts';
import { openSnapshot } from './database.ts';
import { createStacks } from './stacks.ts';
import { openStore } from './store.ts';

const folder = temporaryFolder();

/** What can be undone and redone as a reader of the journal alone finds it. */
function fromJournal(file: string, imageId: number, revision: number): { undoable: number; redoable: number } {
  const { db, close } = openSnapshot(file);
  const { undo, redo } = createStacks(db).of(imageId, revision);
  close();
  return { undoable: undo.length, redoable: redo.length };
}

it('stay what the journal says, through edits, undo, redo, more images than are kept, and edits that fail', () => {
  const store = openStore(join(folder, 'stacks.db'));
  const { imageIds, labelId } = seed(store, 40);
  const random = randomFrom(7);
  let edits = 0;
  for (let round = 0; round < 400; round++) {
    // Mostly two images, now and then all the others in between.
    const imageId = imageIds[random() < 0.8 ? Math.floor(random() * 2) : Math.floor(random() * imageIds.length)] ?? 0;
    const { revision, undoable, redoable } = store.documents.load(imageId);
    expect({ undoable, redoable }).toEqual(fromJournal(store.file, imageId, revision));
    const edit = (): unknown => store.documents.apply(imageId, revision, adding(annotation(String(++edits), labelId)));
    const what = random();
    if (what < 0.1) {
      const broken = (): never =>
        store.write(() => {
          edit();
          throw new Error('the disk is full');
        });
      expect(broken).toThrow('the disk is full');
    } else if (what < 0.45 && undoable > 0) {
      expect(store.documents.undo(imageId, revision).saved).toMatchObject({ undoable: undoable - 1, redoable: redoable + 1 });
    } else if (what < 0.7 && redoable > 0) {
      expect(store.documents.redo(imageId, revision).saved).toMatchObject({ undoable: undoable + 1, redoable: redoable - 1 });
    } else {
      edit();
    }
  }
  expect(store.verify()).toMatchObject({ ok: true });
  store.close();
});

it('refuse a change that decides twice on one suggestion: it could not be undone', () => {
  const store = openStore(join(folder, 'twice.db'));
  const { imageIds } = seed(store);
  const decided = [
    { suggestionId: 1, from: null, to: 'accepted' },
    { suggestionId: 1, from: 'accepted', to: 'rejected' },
  ] as const;
  expect(() => store.documents.apply(imageIds[0] ?? 0, 0, { ...EMPTY_DIFF, decided })).toThrow(
    expect.objectContaining({ code: 'invalid' }),
  );
  store.close();
});
