import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Diff } from '../src/shared/diff.ts';
import { EMPTY_DIFF } from '../src/shared/diff.ts';
import type { Annotation } from '../src/shared/records.ts';
import type { Row } from './measure.ts';
import { measureInTurn } from './measure.ts';
import type { BenchProject } from './project.ts';

/** One edit (an instance changed) until it is on the disk, beside the smallest durable transaction of the same bytes. */
export async function benchSave(project: BenchProject, rounds: number): Promise<Row> {
  const { store, folder } = project;
  const imageId = project.imageIds[0] ?? 0;
  const bare = new Database(join(folder, 'bare.sqlite'));
  bare.pragma('journal_mode = WAL');
  bare.pragma('synchronous = FULL');
  bare.exec(
    'CREATE TABLE annotation (id TEXT PRIMARY KEY, geometry TEXT) STRICT; CREATE TABLE change (seq INTEGER PRIMARY KEY, diff TEXT) STRICT',
  );
  const put = bare.prepare('INSERT INTO annotation VALUES (?, ?) ON CONFLICT DO UPDATE SET geometry = excluded.geometry');
  const log = bare.prepare('INSERT INTO change (diff) VALUES (?)');
  const commit = bare.transaction((id: string, geometry: string, diff: string) => {
    put.run(id, geometry);
    log.run(diff);
  });
  const first = store.documents.load(imageId).annotations[0];
  if (!first) throw new Error('the bench project has an image without annotations');
  let now: Annotation = first;
  let revision = store.documents.load(imageId).revision;
  let diff: Diff = EMPTY_DIFF;
  const [ours, reference] = await measureInTurn(
    [
      {
        name: 'document.apply',
        run: () => {
          const to = { ...now, z: now.z + 1 };
          diff = { ...EMPTY_DIFF, updated: [[now, to]] };
          revision = store.documents.apply(imageId, revision, diff).saved.revision;
          now = to;
        },
      },
      { name: 'bare better-sqlite3 transaction', run: () => commit(now.id, JSON.stringify(now.geometry), JSON.stringify(diff)) },
    ],
    rounds,
    10,
  );
  bare.close();
  if (!ours || !reference) throw new Error('nothing was measured');
  const bytes = JSON.stringify(diff).length;
  return { what: 'save one edit', ours, reference, note: `WAL, synchronous=FULL, ${bytes} bytes of journal each` };
}
