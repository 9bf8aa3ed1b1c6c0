import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Real data that lies beside a checkout on the founders' machines and in CI, never inside the tree.
 * Tests that need it do `describe.skipIf(!sharedHas('golden'))(...)` and so skip where it is absent.
 */
const root = fileURLToPath(new URL('../../shared/', import.meta.url));

/** Absolute path of a file or folder of the data beside the checkout. */
export function sharedPath(relative: string): string {
  return root + relative;
}

/** Whether that file or folder is there; says so once on the console where it is not. */
export function sharedHas(relative: string): boolean {
  const there = existsSync(sharedPath(relative));
  if (!there) console.warn(`skipped: ../shared/${relative} is not beside this checkout`);
  return there;
}
