import { join } from 'node:path';
import { z } from 'zod';
import type { Settings } from '../shared/contract.ts';
import { readKept, writeKept } from './kept-json.ts';

export const DEFAULT_SETTINGS: Settings = { theme: 'dark', modelId: null, minScore: 0.5, brushPx: 24, colouring: 'instance' };

const schema = z.object({
  theme: z.enum(['dark', 'light', 'system']).default(DEFAULT_SETTINGS.theme),
  modelId: z.string().nullable().default(DEFAULT_SETTINGS.modelId),
  minScore: z.number().min(0).max(1).default(DEFAULT_SETTINGS.minScore),
  brushPx: z.number().min(1).max(500).default(DEFAULT_SETTINGS.brushPx),
  colouring: z.enum(['instance', 'semantic']).default(DEFAULT_SETTINGS.colouring),
});

export type SettingsChange = { readonly [K in keyof Settings]?: Settings[K] | undefined };

/** The user's settings, in `settings.json` of the app's folder. */
export function createSettings(appFolder: string): { get(): Settings; set(change: SettingsChange): Settings } {
  const file = join(appFolder, 'settings.json');
  let now: Settings = readKept(file, schema, DEFAULT_SETTINGS);
  return {
    get: () => now,
    set(change) {
      now = schema.parse({ ...now, ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) });
      writeKept(file, now);
      return now;
    },
  };
}
