import { AppError } from '../shared/errors.ts';
import { HASH_FIELDS, hashOf } from '../shared/splits/near-duplicates.ts';
import { greyFields } from './inference/pixels.ts';
import { pathOf } from './jobs.ts';
import type { Project } from './project.ts';

/** Files decoded at the same time; sharp works in threads of its own. */
const AT_ONCE = 4;
const PAGE = 500;
/** Kept together: each commit waits for the disk. */
const BATCH = 32;

/**
 * Has the perceptual hash of every readable image of the project, making those that are not known; they are kept by the
 * content's digest. A file that cannot be decoded has none. Throws AppError `cancelled`.
 */
export async function hashPhotos(project: Project, signal: AbortSignal, onProgress: (done: number, total: number) => void): Promise<void> {
  const { store, place } = project;
  let done = 0;
  for (let offset = 0; ; offset += PAGE) {
    const { rows, total } = store.images.page({ offset, limit: PAGE, search: '', states: [] });
    const waiting = rows.filter((image) => image.error === null && image.sha256 !== '' && store.splits.hash(image.sha256) === null);
    done += rows.length - waiting.length;
    const made: (readonly [sha256: string, hash: Uint8Array])[] = [];
    const work = async (): Promise<void> => {
      for (let image = waiting.pop(); image; image = waiting.pop()) {
        if (signal.aborted) throw new AppError('cancelled', 'Cancelled. The photos that were looked at are remembered.');
        try {
          const grey = await greyFields(pathOf(place.folder, image), HASH_FIELDS, HASH_FIELDS);
          made.push([image.sha256, hashOf(grey)]);
          if (made.length >= BATCH) store.splits.keepHashes(made.splice(0));
        } catch (thrown) {
          // One bad file is no reason to stop: it stands for itself.
          if (!(thrown instanceof AppError) || !['unsupported', 'io', 'not-found'].includes(thrown.code)) throw thrown;
        }
        onProgress(++done, total);
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    } finally {
      store.splits.keepHashes(made.splice(0));
    }
    if (rows.length < PAGE) return;
  }
}
