import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DESKTOP_CALLS, PickKind } from '../shared/calls/desktop.ts';
import type { Handlers } from '../shared/contract.ts';
import { AppError } from '../shared/errors.ts';

/** What only a desktop has. */
export interface Desktop {
  /** The system's dialog for a file or a folder; null: the user thought better. */
  pick(kind: PickKind): Promise<string | null>;
  /** Opens the file manager with `path` in view. */
  show(path: string): void;
}

export function createDesktopHandlers(desktop: Desktop | null): Pick<Handlers, keyof typeof DESKTOP_CALLS> {
  return {
    'desktop.pick': async ({ kind }) => {
      if (!desktop) throw new AppError('unsupported', 'There is no file dialog here: type the path.');
      return await desktop.pick(kind);
    },
    'desktop.show': async ({ path }) => {
      if (!desktop) throw new AppError('unsupported', 'There is no file manager here: go to the path yourself.', { path });
      const place = resolve(path);
      if (!existsSync(place)) throw new AppError('not-found', `${place} is not there any more.`, { path: place });
      desktop.show(place);
      return await Promise.resolve(null);
    },
  };
}
