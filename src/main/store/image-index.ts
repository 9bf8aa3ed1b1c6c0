import type { Db } from './database.ts';
import { MISSING_REASON } from './images.ts';

/** What an import needs to know of an image of the project. Sizes are as shown. */
export interface IndexedImage {
  readonly id: number;
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly orientation: number;
  readonly error: string | null;
  readonly annotations: number;
}

/** The images of a project by whatever a dataset may call them. */
export interface ImageIndex {
  byId(id: number): IndexedImage | null;
  /** At this path in the folder, or below one of the folders that the dataset lies in. */
  byPath(path: string): IndexedImage | null;
  /** The only file of this name, wherever it lies. */
  byName(path: string): IndexedImage | 'several' | null;
  byContent(sha256: string): IndexedImage | null;
}

/** `prefixes`: folders of the project, relative, with `/` at their end, that paths may be meant from; the project's own is. */
export function createImageIndex(db: Db, prefixes: readonly string[]): ImageIndex {
  const row = db.prepare<[number], IndexedImage>(`
    SELECT i.id, i.path, i.width, i.height, i.orientation, CASE WHEN i.missing = 1 THEN '${MISSING_REASON}' ELSE i.error END AS error,
      (SELECT count(*) FROM annotation a WHERE a.image_id = i.id) AS annotations FROM image i WHERE i.id = ?`);
  const atPath = db.prepare<[string], number>('SELECT id FROM image WHERE path = ?').pluck();
  const withContent = db.prepare<[string], number>('SELECT id FROM image WHERE sha256 = ? AND missing = 0 ORDER BY id LIMIT 1').pluck();
  const all = db.prepare<[], { id: number; path: string }>('SELECT id, path FROM image WHERE missing = 0');
  /** By file name: the only id, or 0 for several. */
  let names: Map<string, number> | null = null;

  function nameOf(path: string): string {
    return path.slice(path.lastIndexOf('/') + 1);
  }

  function byId(id: number): IndexedImage | null {
    return row.get(id) ?? null;
  }

  return {
    byId,
    byPath(path) {
      for (const prefix of ['', ...prefixes]) {
        const id = atPath.get(prefix + path);
        if (id !== undefined) return byId(id);
      }
      return null;
    },
    byName(path) {
      if (names === null) {
        names = new Map();
        for (const image of all.iterate()) {
          const name = nameOf(image.path);
          names.set(name, names.has(name) ? 0 : image.id);
        }
      }
      const id = names.get(nameOf(path));
      return id === undefined ? null : id === 0 ? 'several' : byId(id);
    },
    byContent(sha256) {
      const id = sha256 === '' ? undefined : withContent.get(sha256);
      return id === undefined ? null : byId(id);
    },
  };
}
