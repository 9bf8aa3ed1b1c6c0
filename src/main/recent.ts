import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { RecentProject } from '../shared/answers.ts';
import { readKept, writeKept } from './kept-json.ts';

const KEPT = 12;
const schema = z.array(z.object({ name: z.string(), folder: z.string(), file: z.string(), openedAtMs: z.number() }));

/** Projects opened last, newest first, in `recent.json` of the app's folder. */
export function createRecent(appFolder: string): { list(): RecentProject[]; add(project: RecentProject): void } {
  const file = join(appFolder, 'recent.json');
  const read = (): RecentProject[] => readKept(file, schema, []);
  return {
    /** Only those whose folder is still there. */
    list: () => read().filter((p) => existsSync(p.folder)),
    add(project) {
      const others = read().filter((p) => p.file !== project.file);
      writeKept(file, [project, ...others].slice(0, KEPT));
    },
  };
}
