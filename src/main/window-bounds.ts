import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Rectangle } from 'electron';
import { z } from 'zod';

const bounds = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().min(640),
  height: z.number().int().min(480),
  maximized: z.boolean(),
});
export type WindowBounds = z.infer<typeof bounds>;

/** Where the window was, or null when it never was, the note is not readable, or no display shows it now. */
export function readBounds(file: string, displays: readonly Rectangle[]): WindowBounds | null {
  let found: WindowBounds;
  try {
    found = bounds.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // A lost window position is no loss: the window opens in the middle.
    return null;
  }
  const grip = { x: found.x + found.width / 2, y: found.y + 20 };
  const visible = displays.some((d) => grip.x >= d.x && grip.x < d.x + d.width && grip.y >= d.y && grip.y < d.y + d.height);
  return visible ? found : null;
}

export function writeBounds(file: string, value: WindowBounds): void {
  writeFileSync(`${file}.partial`, JSON.stringify(value));
  renameSync(`${file}.partial`, file);
}
