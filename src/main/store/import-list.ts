import type { ImportListing } from '../../shared/calls/imports.ts';
import type { Db } from './database.ts';

/** The imports of a project, the newest first, with what of each is left. */
export function createImportList(db: Db): () => ImportListing[] {
  const rows = db.prepare<[], ImportListing>(`
    SELECT i.id AS importId, i.format, i.file AS place, i.at AS importedAtMs, i.undone_at AS undoneAtMs,
      coalesce(json_extract(i.report, '$.images'), 0) AS images, coalesce(json_extract(i.report, '$.annotations'), 0) AS annotations,
      (SELECT count(*) FROM import_image p WHERE p.import_id = i.id AND p.undone = 0) AS imagesLeft
    FROM import i ORDER BY i.id DESC`);
  return () => rows.all();
}
