import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { makeFolder } from './make-folder.ts';

/**
 * A small JSON file of the app's own. A file that is broken or of another shape is set aside as
 * `.broken` and `fallback` is used; it only holds comforts, never work.
 */
export function readKept<S extends z.ZodType>(file: string, schema: S, fallback: z.output<S>): z.output<S> {
  if (!existsSync(file)) return fallback;
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    renameSync(file, `${file}.broken`);
    return fallback;
  }
}

/** Writes beside the file, then takes its name: the file is the old or the new one, never half. */
export function writeKept(file: string, value: unknown): void {
  makeFolder(dirname(file));
  const partial = `${file}.${process.pid}.partial`;
  const descriptor = openSync(partial, 'w');
  writeSync(descriptor, `${JSON.stringify(value, null, 2)}\n`);
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(partial, file);
}
