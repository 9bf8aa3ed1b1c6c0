import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../../shared/errors.ts';

/** Written last and taken away first: a folder without it holds no whole bundle, and the scripts say so. */
export const BUNDLE_FILE = 'bundle.json';
/** The classes: their ids in the dataset and their numbers in the network, written once and read by every script. */
export const CATEGORIES_FILE = 'categories.json';

/** Throws `conflict` where the folder holds what a bundle would cover, or something that is no bundle. */
export async function refuseInUse(out: string, overwrite: boolean): Promise<void> {
  const names = await readdir(out).catch((thrown: unknown) => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return [];
    throw new AppError('io', `${out} is no folder that can be read.`, { out }, thrown);
  });
  const shown = names.filter((name) => !/^\.bundle-[0-9a-f]{8}$/.test(name));
  if (shown.length === 0) return;
  if (!shown.includes(BUNDLE_FILE) && !shown.includes(CATEGORIES_FILE)) {
    throw new AppError('conflict', `${out} holds other files. Choose a new or empty folder.`, { out });
  }
  if (!overwrite) {
    throw new AppError('conflict', `${out} holds a bundle already. Choose another folder, or replace it: what was trained in it stays.`, {
      out,
    });
  }
}

/** `bundle.json` goes first and comes last, so that an interrupted move is never taken for a whole bundle. */
export async function moveIntoPlace(draft: string, out: string): Promise<void> {
  await rm(join(out, BUNDLE_FILE), { force: true });
  const names = (await readdir(draft)).filter((name) => name !== BUNDLE_FILE);
  for (const name of [...names, BUNDLE_FILE]) {
    await rm(join(out, name), { recursive: true, force: true });
    await rename(join(draft, name), join(out, name));
  }
  await rmdir(draft);
}

/** Removes `folder` and its parents up to `top` while they are empty. */
export async function removeEmpty(folder: string, top: string): Promise<void> {
  for (let at = folder; at.startsWith(top); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      // Somebody put something in it meanwhile: it is theirs now.
      return;
    }
  }
}
