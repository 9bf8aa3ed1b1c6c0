import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The package's folder: two levels above both `src/main` and `dist/main`. */
export const packageFolder = new URL('../../', import.meta.url);

/** The version in package.json. Throws where that is not ours. */
export function appVersion(): string {
  const text = readFileSync(new URL('package.json', packageFolder), 'utf8');
  return z.object({ name: z.literal('maskloop'), version: z.string() }).parse(JSON.parse(text)).version;
}
