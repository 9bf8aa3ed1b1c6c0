import { z } from 'zod';
import type { Diff } from '../../shared/diff.ts';
import { reverse } from '../../shared/diff.ts';
import { AppError } from '../../shared/errors.ts';
import type { Annotation } from '../../shared/records.ts';
import { annotationSchema, diffSchema, idSchema } from '../../shared/schemas.ts';
import type { Db } from './database.ts';
import { importedReader } from './imported.ts';

/** What the texts of the journal mean: the diff of an edit, or a reference to the rows of an import. */

/** What the journal says of an import: its own rows hold what it added; `removed` is what it replaced; `back`: all of that was taken back. */
const importEntry = z.object({ import: idSchema, removed: z.array(annotationSchema), back: z.boolean().default(false) });

/** The text of an import's entry in the journal, for an image whose instances it replaced. */
export function importEntryText(importId: number, removed: readonly Annotation[]): string {
  return JSON.stringify({ import: importId, removed });
}

/** The text of the entry that takes an import back on an image, given the entry of the import itself. Throws AppError `storage`. */
export function takenBackEntry(text: string): { readonly text: string; readonly restored: readonly Annotation[] } {
  const { import: importId, removed } = checked(importEntry, JSON.parse(text));
  return { text: JSON.stringify({ import: importId, removed, back: true }), restored: removed };
}

/** The import that an entry is about, or null: that of an edit is read no further. */
export function importOf(text: string): number | null {
  const found = /^\{"import":(\d+),/.exec(text);
  return found ? Number(found[1]) : null;
}

/**
 * Reads entries of the journal of an image. The store wrote them, but undo must not bring half a change back from a damaged
 * one. An import's entry is short and refers to its rows.
 * @throws AppError `storage` naming the first thing that is wrong.
 */
export function diffReader(db: Db): (text: string | undefined, imageId: number) => Diff {
  const imported = importedReader(db);
  return (text, imageId) => {
    if (text === undefined) throw new AppError('storage', 'The journal lacks an entry that it refers to.');
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (thrown) {
      throw new AppError('storage', 'An entry of the journal is damaged: it is no JSON.', {}, thrown);
    }
    if (typeof value === 'object' && value !== null && 'import' in value) {
      const entry = checked(importEntry, value);
      const diff: Diff = { added: imported(entry.import, imageId), removed: entry.removed, updated: [], decided: [] };
      return entry.back ? reverse(diff) : diff;
    }
    return checked(diffSchema, value);
  };
}

function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const key = issue?.path.join('.') ?? '';
  throw new AppError('storage', `An entry of the journal is damaged: ${key || 'it'} (${issue?.message ?? 'not as it was written'}).`, {
    key,
  });
}
