import { createHash } from 'node:crypto';
import { accessSync, constants, copyFileSync, existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError } from '../shared/errors.ts';
import { makeFolder } from './make-folder.ts';

export interface ProjectPlace {
  /** Absolute. */
  readonly folder: string;
  readonly file: string;
  /** Where thumbnails are kept. */
  readonly cache: string;
  /** Why the file does not lie in the folder, or null. */
  readonly note: string | null;
}

const PROJECT_FOLDER = '.maskloop';
const PROJECT_FILE = 'project.db';

/**
 * Where the project of an image folder lies: in the folder's `.maskloop`; where that cannot be
 * written, in the app's own folder; or in the file that was asked for by name. A project that lies in
 * a folder that cannot be written is copied, once. Where both are there, the one that was written last
 * is taken, and the note names the other: work done while the folder could not be written must not
 * vanish when it can be again. Throws `not-found` where the folder is not there.
 */
export function placeProject(folder: string, file: string | null, appFolder: string): ProjectPlace {
  const { absolute, own, inside, outside } = candidates(folder, appFolder);
  const cache = join(own, 'cache');
  if (file !== null) return { folder: absolute, file: resolve(file), cache, note: `The project file is ${resolve(file)}.` };
  const reason = refusalToWrite(join(absolute, PROJECT_FOLDER), inside);
  // A full disk is no reason to go elsewhere: what is there opens, and a save says that it is full.
  const full = reason === 'ENOSPC' || reason === 'EDQUOT';
  if (reason === null || (full && existsSync(inside))) {
    const [ours, theirs] = [writtenMs(outside), writtenMs(inside)];
    if (ours === 0 || theirs >= ours) {
      const note = ours === 0 ? null : `There is an older project file of this folder, ${outside}; it is not used.`;
      return { folder: absolute, file: inside, cache: join(absolute, PROJECT_FOLDER, 'cache'), note };
    }
    const other = theirs === 0 ? '' : ` The older ${inside} is not used.`;
    const note = `The folder could not be written earlier, so its project file is ${outside}.${other}`;
    return { folder: absolute, file: outside, cache, note };
  }
  makeFolder(own);
  if (existsSync(inside) && !existsSync(outside)) copyProject(inside, outside);
  return { folder: absolute, file: outside, cache, note: `The folder cannot be written (${reason}), so its project file is ${outside}.` };
}

/**
 * The project file that a folder has, or null: as `placeProject` would take it, without making anything.
 * Throws `not-found` where the folder is not there.
 */
export function findProject(folder: string, appFolder: string): string | null {
  const { inside, outside } = candidates(folder, appFolder);
  const [ours, theirs] = [writtenMs(outside), writtenMs(inside)];
  if (ours === 0 && theirs === 0) return null;
  return theirs >= ours ? inside : outside;
}

/** Where the project file of a folder may lie: in the folder itself, and in the app's own. */
function candidates(
  folder: string,
  appFolder: string,
): { readonly absolute: string; readonly own: string; readonly inside: string; readonly outside: string } {
  const absolute = resolve(folder);
  if (!existsSync(absolute) || !statSync(absolute).isDirectory()) {
    throw new AppError('not-found', `There is no folder ${absolute}.`, { path: absolute });
  }
  const hash = createHash('sha256').update(realpathSync(absolute)).digest('hex').slice(0, 20);
  const own = join(appFolder, 'projects', hash);
  return { absolute, own, inside: join(absolute, PROJECT_FOLDER, PROJECT_FILE), outside: join(own, PROJECT_FILE) };
}

/** When a project file, or its log, was last written, in ms since 1970; 0 where it is not there. */
function writtenMs(file: string): number {
  if (!existsSync(file)) return 0;
  return Math.max(...[file, `${file}-wal`].map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0));
}

/** Tries it, because permissions, read-only mounts and quotas do not show in a file's mode. */
function refusalToWrite(folder: string, file: string): string | null {
  try {
    makeFolder(folder);
    const probe = join(folder, `.probe-${process.pid}`);
    writeFileSync(probe, '');
    rmSync(probe);
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
    return null;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
  }
}

function copyProject(from: string, to: string): void {
  // The log first: a project without its log would be an older one, a log without its project is ignored.
  if (existsSync(`${from}-wal`)) copyFileSync(`${from}-wal`, `${to}-wal`);
  // Under another name first: half a copy must not be taken for the project after a crash.
  copyFileSync(from, `${to}.partial`);
  renameSync(`${to}.partial`, to);
}
