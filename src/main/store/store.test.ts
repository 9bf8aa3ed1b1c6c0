import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adding, annotation, containing, rectangle, scanned, seed, temporaryFolder } from '../../../test/store-fixtures.ts';
import { EMPTY_DIFF } from '../../shared/diff.ts';
import { AppError } from '../../shared/errors.ts';
import type { Annotation } from '../../shared/records.ts';
import type { Store } from './store.ts';
import { openDatabase } from './database.ts';
import { openStore } from './store.ts';
import { verifyProject } from './replay.ts';

const folder = temporaryFolder();
let files = 0;
const freshFile = (): string => join(folder, `project-${++files}.db`);

function code(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown.code;
    throw thrown;
  }
  return 'nothing thrown';
}

function open(file = freshFile()): Store {
  return openStore(file, { clock: () => 1_700_000_000_000 });
}

describe('documents', () => {
  it('keeps what was applied, in paint order, after closing and opening', () => {
    const store = open();
    const { imageIds, labelId } = seed(store);
    const [imageId = 0] = imageIds;
    const mask = annotation('mask', labelId, { geometry: { kind: 'mask', rle: rectangle(2, 3, 10, 5) }, z: 0.5, crowd: true });
    const polygon = annotation('polygon', labelId, {
      geometry: { kind: 'polygon', parts: [{ outer: [0.1, 0.2, 30, 0.30000000000000004, 30, 40], holes: [[5, 5, 9, 5, 9, 9]] }] },
      z: 2,
    });
    const { saved } = store.documents.apply(imageId, 0, adding(polygon, mask));
    expect(saved).toMatchObject({ imageId, revision: 1, savedAtMs: 1_700_000_000_000, undoable: 1, redoable: 0 });
    store.close();
    const again = open(store.file);
    const document = again.documents.load(imageId);
    expect(document.annotations).toEqual([mask, polygon]);
    expect(document.revision).toBe(1);
    expect(again.images.get(imageId)).toMatchObject({ state: 'in-progress', revision: 1, annotations: 2 });
    expect(again.images.get(imageIds[1] ?? 0)).toMatchObject({ state: 'new', revision: 0, annotations: 0 });
    again.close();
  });

  it('refuses a stale base with both revisions, and changes nothing', () => {
    const store = open();
    const { imageIds, labelId } = seed(store);
    const [imageId = 0] = imageIds;
    store.documents.apply(imageId, 0, adding(annotation('one', labelId)));
    let thrown: unknown;
    try {
      store.documents.apply(imageId, 0, adding(annotation('two', labelId)));
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown).toMatchObject({ code: 'conflict', detail: { imageId, base: 0, revision: 1 } });
    expect(store.documents.load(imageId).annotations.map((a) => a.id)).toEqual(['annotation-one']);
    store.close();
  });

  it('refuses what does not fit, whole: image, class, geometry, ids', () => {
    const store = open();
    const { imageIds, labelId } = seed(store);
    const [imageId = 0, other = 0] = imageIds;
    store.documents.apply(other, 0, adding(annotation('there', labelId)));
    const good = annotation('good', labelId);
    const wrong: [string, Annotation, string][] = [
      ['class', annotation('x', 99), 'not-found'],
      ['suggestion', annotation('x', labelId, { suggestionId: 7 }), 'not-found'],
      ['id on another image', annotation('there', labelId), 'conflict'],
      ['short ring', annotation('x', labelId, { geometry: { kind: 'polygon', parts: [{ outer: [1, 1, 2, 2], holes: [] }] } }), 'invalid'],
      [
        'short hole',
        annotation('x', labelId, { geometry: { kind: 'polygon', parts: [{ outer: [1, 1, 9, 2, 3, 9], holes: [[1, 2]] }] } }),
        'invalid',
      ],
      ['NaN', annotation('x', labelId, { geometry: { kind: 'polygon', parts: [{ outer: [1, 1, NaN, 2, 3, 9], holes: [] }] } }), 'invalid'],
      ['far outside', annotation('x', labelId, { geometry: { kind: 'box', box: [0, 0, 1e6, 3] } }), 'invalid'],
      ['mask of another size', annotation('x', labelId, { geometry: { kind: 'mask', rle: rectangle(0, 0, 3, 3, 65, 48) } }), 'invalid'],
      [
        'mask with too few pixels',
        annotation('x', labelId, { geometry: { kind: 'mask', rle: { size: [48, 64], counts: '04' } } }),
        'invalid',
      ],
    ];
    for (const [what, bad, expected] of wrong) {
      expect(
        code(() => store.documents.apply(imageId, 0, adding(good, bad))),
        what,
      ).toBe(expected);
    }
    expect(code(() => store.documents.apply(99, 0, adding(good)))).toBe('not-found');
    expect(code(() => store.documents.apply(imageId, 0, { ...EMPTY_DIFF, removed: [good] }))).toBe('conflict');
    expect(code(() => store.documents.apply(imageId, 0, adding(good, good)))).toBe('invalid');
    expect(store.documents.load(imageId)).toMatchObject({ revision: 0, annotations: [] });
    expect(store.verify()).toMatchObject({ ok: true, changes: 1 });
    store.close();
  });

  it('refuses edits on an image of unknown size', () => {
    const store = open();
    const { labelId } = seed(store, 0);
    const [imageId = 0] = store.images.add([scanned('broken.jpg', { width: 0, height: 0, error: 'cut off' })]);
    expect(code(() => store.documents.apply(imageId, 0, adding(annotation('one', labelId))))).toBe('unsupported');
    store.close();
  });

  it('undoes and redoes over a restart, step by step, and an edit ends redo', () => {
    const file = freshFile();
    let store = open(file);
    const { imageIds, labelId } = seed(store);
    const [imageId = 0] = imageIds;
    const reopen = (): void => {
      store.close();
      store = open(file);
    };
    const one = annotation('one', labelId);
    const moved = { ...one, geometry: { kind: 'box', box: [1, 2, 3, 4] } } as const;
    const two = annotation('two', labelId, { z: 2 });
    store.documents.apply(imageId, 0, adding(one));
    store.documents.apply(imageId, 1, { ...EMPTY_DIFF, updated: [[one, moved]] });
    store.documents.apply(imageId, 2, { ...EMPTY_DIFF, removed: [moved], added: [two] });
    reopen();
    const content = (): readonly Annotation[] => store.documents.load(imageId).annotations;
    expect(store.documents.undo(imageId, 3).saved).toMatchObject({ revision: 4, undoable: 2, redoable: 1 });
    expect(content()).toEqual([moved]);
    reopen();
    store.documents.undo(imageId, 4);
    expect(content()).toEqual([one]);
    store.documents.undo(imageId, 5);
    expect(content()).toEqual([]);
    expect(code(() => store.documents.undo(imageId, 6))).toBe('conflict');
    reopen();
    expect(store.documents.load(imageId)).toMatchObject({ undoable: 0, redoable: 3 });
    store.documents.redo(imageId, 6);
    store.documents.redo(imageId, 7);
    expect(content()).toEqual([moved]);
    store.documents.apply(imageId, 8, adding(two));
    expect(store.documents.load(imageId)).toMatchObject({ undoable: 3, redoable: 0 });
    expect(code(() => store.documents.redo(imageId, 9))).toBe('conflict');
    store.documents.undo(imageId, 9);
    store.documents.undo(imageId, 10);
    expect(content()).toEqual([one]);
    expect(store.verify()).toMatchObject({ ok: true, changes: 11, problems: [] });
    store.close();
    expect(verifyProject(file)).toMatchObject({ ok: true, changes: 11 });
  });

  it('refuses to undo by an entry of the journal that is damaged, and changes nothing', () => {
    const store = open();
    const { imageIds, labelId } = seed(store);
    const [imageId = 0] = imageIds;
    store.documents.apply(imageId, 0, adding(annotation('one', labelId)));
    store.close();
    for (const [text, message] of [
      ['{"added":[', 'no JSON'],
      ['{"added":[{"id":7}],"removed":[],"updated":[],"decided":[]}', 'added.0.id'],
    ] as const) {
      const { db, close } = openDatabase(store.file);
      db.pragma('ignore_check_constraints = ON');
      db.prepare('UPDATE change SET diff = ?').run(text);
      close();
      const again = open(store.file);
      expect(() => again.documents.undo(imageId, 1)).toThrow(
        expect.objectContaining({ code: 'storage', message: expect.stringContaining(message) as string }) as Error,
      );
      expect(again.documents.load(imageId)).toMatchObject({ revision: 1, annotations: [{ id: annotation('one', labelId).id }] });
      again.close();
    }
  });

  it('undoes to what was stored, whatever the caller said it was', () => {
    const store = open();
    const { imageIds, labelId } = seed(store);
    const [imageId = 0] = imageIds;
    const one = annotation('one', labelId);
    store.documents.apply(imageId, 0, adding(one));
    const lie = { ...one, z: 77 };
    store.documents.apply(imageId, 1, { ...EMPTY_DIFF, updated: [[lie, { ...one, z: 5 }]] });
    store.documents.undo(imageId, 2);
    expect(store.documents.load(imageId).annotations).toEqual([one]);
    expect(store.verify().ok).toBe(true);
    store.close();
  });

  it('keeps the number of an annotation through delete, undo and restart, from 1, never reused', () => {
    const store = open();
    const { imageIds, labelId } = seed(store);
    const [imageId = 0] = imageIds;
    const [one, two, three] = [annotation('one', labelId), annotation('two', labelId), annotation('three', labelId)];
    store.documents.apply(imageId, 0, adding(one, two));
    store.documents.apply(imageId, 1, { ...EMPTY_DIFF, removed: [two] });
    store.documents.apply(imageId, 2, adding(three));
    store.documents.undo(imageId, 3);
    store.documents.undo(imageId, 4);
    store.close();
    const again = open(store.file);
    expect([one, two, three].map((a) => again.documents.number(a.id))).toEqual([1, 2, 3]);
    const snapshot = again.snapshot();
    expect(snapshot.document(imageId).map((n) => n.number)).toEqual([1, 2]);
    snapshot.close();
    again.close();
  });
});

describe('snapshot', () => {
  it('does not see edits made after it was taken', () => {
    const store = open();
    const { imageIds, labelId } = seed(store);
    const [imageId = 0] = imageIds;
    store.documents.apply(imageId, 0, adding(annotation('one', labelId)));
    const snapshot = store.snapshot();
    store.documents.apply(imageId, 1, adding(annotation('two', labelId)));
    expect(snapshot.document(imageId)).toHaveLength(1);
    expect([...snapshot.images()].map((i) => i.annotations)).toEqual([1, 0]);
    expect(snapshot.imageCount).toBe(2);
    snapshot.close();
    expect(store.documents.load(imageId).annotations).toHaveLength(2);
    store.close();
  });
});

describe('verify', () => {
  it('finds rows that the journal does not give', async () => {
    const store = open();
    const { imageIds, labelId } = seed(store);
    const [imageId = 0] = imageIds;
    store.documents.apply(imageId, 0, adding(annotation('one', labelId)));
    store.close();
    const { openDatabase } = await import('./database.ts');
    const { db, close } = openDatabase(store.file);
    db.exec('UPDATE annotation SET z = 9');
    close();
    const report = verifyProject(store.file);
    expect(report.ok).toBe(false);
    expect(report.problems).toEqual(['a.jpg: the journal gives other instances than the file holds']);
  });
});

it.skipIf(process.platform === 'win32')('saves nothing into a file that was removed or replaced, and says so', () => {
  for (const happens of [(file: string) => rmSync(file), (file: string) => copyFileSync(file, `${file}.copy`)]) {
    const store = open();
    const { imageIds, labelId } = seed(store);
    const { file } = store;
    happens(file);
    if (existsSync(file)) renameSync(`${file}.copy`, file);
    expect(() => store.documents.apply(imageIds[0] ?? 0, 0, adding(annotation('one', labelId)))).toThrow(
      expect.objectContaining({ code: 'io', message: containing(file) }),
    );
    expect(store.lost()).toBe(true);
    expect(store.documents.load(imageIds[0] ?? 0).revision).toBe(0);
    store.close();
  }
});
