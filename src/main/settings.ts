import { join } from 'node:path';
import { z } from 'zod';
import type { Settings } from '../shared/answers.ts';
import { DEFAULT_SETTINGS, settingsSchema } from '../shared/schemas.ts';
import { readKept, writeKept } from './kept-json.ts';

/** What an older version did not write yet has its default. */
const kept = z
  .looseObject({})
  .transform((found) => ({ ...DEFAULT_SETTINGS, ...found }))
  .pipe(settingsSchema);

export type SettingsChange = { readonly [K in keyof Settings]?: Settings[K] | undefined };

/** The user's settings, in `settings.json` of the app's folder. */
export function createSettings(appFolder: string): { get(): Settings; set(change: SettingsChange): Settings } {
  const file = join(appFolder, 'settings.json');
  let now: Settings = readKept(file, kept, DEFAULT_SETTINGS);
  return {
    get: () => now,
    set(change) {
      now = settingsSchema.parse({ ...now, ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) });
      writeKept(file, now);
      return now;
    },
  };
}
