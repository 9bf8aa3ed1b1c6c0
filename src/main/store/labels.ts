import type { LabelCount } from '../../shared/answers.ts';
import { AppError } from '../../shared/errors.ts';
import { classColor } from '../../shared/palette.ts';
import type { Label } from '../../shared/records.ts';
import { COVERED } from './covering.ts';
import type { Db } from './database.ts';

export interface LabelChange {
  readonly id: number;
  readonly name?: string | undefined;
  readonly color?: string | undefined;
  readonly hotkey?: string | null | undefined;
  readonly position?: number | undefined;
}

/**
 * Classes. Their ids are COCO category ids: from 1, never used twice, never moved. A removed class
 * keeps its row, because the journal may bring back an instance of it (`revive`).
 */
export interface Labels {
  list(): Label[];
  /** Throws `not-found`. */
  get(id: number): Label;
  /** Throws `conflict` where a class of exactly that name is there. */
  create(name: string, color: string | null): Label;
  update(change: LabelChange): Label;
  /** Throws `conflict`, saying by how much, while instances or suggestions use it. */
  remove(id: number): void;
  counts(): LabelCount[];
  /**
   * Ids by name of a model's classes; missing ones are made in the order given. A class that was
   * renamed is still the one its model means by its former name.
   */
  ensure(names: readonly string[]): Map<string, number>;
  /** Takes a class that undo needs back into the list. Answers whether it was removed. */
  revive(id: number): boolean;
}

const COLUMNS = 'id, name, color, hotkey, position';

export function createLabels(db: Db, write: <T>(work: () => T) => T): Labels {
  const all = db.prepare<[], Label>(`SELECT ${COLUMNS} FROM label WHERE removed = 0 ORDER BY position, id`);
  const one = db.prepare<[number], Label>(`SELECT ${COLUMNS} FROM label WHERE id = ? AND removed = 0`);
  const byName = db.prepare<[string], Label>(`SELECT ${COLUMNS} FROM label WHERE name = ? AND removed = 0`);
  const byFormerName = db.prepare<[string], Label>(
    `SELECT ${COLUMNS} FROM label WHERE removed = 0 AND id = (SELECT label_id FROM former_name WHERE name = ?)`,
  );
  const formerly = db.prepare<[string, number]>(
    'INSERT INTO former_name (name, label_id) VALUES (?, ?) ON CONFLICT DO UPDATE SET label_id = excluded.label_id',
  );
  const insert = db.prepare<[string, string, string | null, number]>(
    'INSERT INTO label (name, color, hotkey, position) VALUES (?, ?, ?, ?)',
  );
  const save = db.prepare<[string, string, string | null, number, number]>(
    'UPDATE label SET name = ?, color = ?, hotkey = ?, position = ? WHERE id = ?',
  );
  const made = db.prepare<[], number>('SELECT count(*) FROM label').pluck();
  const instances = db.prepare<[number], number>('SELECT count(*) FROM annotation WHERE label_id = ?').pluck();
  const suggestions = db.prepare<[number], number>('SELECT count(*) FROM suggestion WHERE label_id = ?').pluck();
  const hide = db.prepare<[number]>('UPDATE label SET removed = 1, hotkey = NULL WHERE id = ?');
  const hidden = db.prepare<[number], { name: string }>('SELECT name FROM label WHERE id = ? AND removed = 1');
  const show = db.prepare<[string, number, number]>('UPDATE label SET removed = 0, name = ?, position = ? WHERE id = ?');
  const countRows = db.prepare<[], LabelCount>(`
    SELECT l.id AS labelId,
      (SELECT count(*) FROM annotation a WHERE a.label_id = l.id) AS annotations,
      (SELECT count(*) FROM suggestion s JOIN image i ON i.id = s.image_id AND i.newest_run_id = s.run_id
        WHERE s.label_id = l.id AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.suggestion_id = s.id) AND NOT ${COVERED}) AS pending,
      (SELECT count(DISTINCT a.image_id) FROM annotation a WHERE a.label_id = l.id) AS images
    FROM label l WHERE l.removed = 0 ORDER BY l.position, l.id`);

  function get(id: number): Label {
    const label = one.get(id);
    if (!label) throw new AppError('not-found', `There is no class ${id}.`, { labelId: id });
    return label;
  }

  function taken(name: string): AppError {
    return new AppError('conflict', `There already is a class “${name}”.`, { name });
  }

  function create(name: string, color: string | null): Label {
    return write(() => {
      if (byName.get(name)) throw taken(name);
      const labels = all.all();
      const used = new Set(labels.map((l) => l.hotkey));
      const hotkey = ['1', '2', '3', '4', '5', '6', '7', '8', '9'].find((key) => !used.has(key)) ?? null;
      const { lastInsertRowid } = insert.run(name, color ?? classColor(made.get() ?? 0), hotkey, labels.length);
      return get(Number(lastInsertRowid));
    });
  }

  /** Writes the places anew, 0, 1, 2, ..., with `id` at `place`. */
  function move(id: number, place: number): void {
    const order = all.all().filter((l) => l.id !== id);
    order.splice(place, 0, get(id));
    order.forEach((l, position) => save.run(l.name, l.color, l.hotkey, position, l.id));
  }

  return {
    list: () => all.all(),
    get,
    create,
    update(change) {
      return write(() => {
        const now = get(change.id);
        const name = change.name ?? now.name;
        const sameName = byName.get(name);
        if (sameName && sameName.id !== now.id) throw taken(name);
        const hotkey = change.hotkey === undefined ? now.hotkey : change.hotkey;
        if (hotkey !== null) {
          // A key moves to the class that was given it last.
          const holder = all.all().find((l) => l.hotkey === hotkey && l.id !== now.id);
          if (holder) save.run(holder.name, holder.color, null, holder.position, holder.id);
        }
        if (name !== now.name) formerly.run(now.name, now.id);
        save.run(name, change.color ?? now.color, hotkey, now.position, now.id);
        if (change.position !== undefined) move(now.id, change.position);
        return get(now.id);
      });
    },
    remove(id) {
      write(() => {
        const label = get(id);
        const used = instances.get(id) ?? 0;
        const suggested = suggestions.get(id) ?? 0;
        if (used + suggested > 0) {
          throw new AppError('conflict', `Class “${label.name}” is used by ${used} instances and ${suggested} suggestions.`, {
            labelId: id,
            annotations: used,
            suggestions: suggested,
          });
        }
        hide.run(id);
        all.all().forEach((l, position) => save.run(l.name, l.color, l.hotkey, position, l.id));
      });
    },
    counts: () => countRows.all(),
    ensure(names) {
      return write(() => new Map(names.map((name) => [name, (byName.get(name) ?? byFormerName.get(name) ?? create(name, null)).id])));
    },
    revive(id) {
      const gone = hidden.get(id);
      if (!gone) return false;
      let name = gone.name;
      for (let n = 2; byName.get(name); n++) name = `${gone.name} (${n})`;
      show.run(name, all.all().length, id);
      return true;
    },
  };
}
