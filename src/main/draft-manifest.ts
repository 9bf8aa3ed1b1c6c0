import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../shared/errors.ts';
import type { InspectedFile } from './inference/inspect-families.ts';
import { parseManifest, weightFiles } from './inference/manifest.ts';

/** A manifest that came along with the files of a model. */
export interface GivenManifest {
  /** As it stands, but for its goldens: those stay where they are. */
  readonly manifest: Readonly<Record<string, unknown>> & { readonly id: string };
  /** Where it says that each file lies in the model's folder, to the file. */
  readonly places: Readonly<Record<string, string>>;
}

const FILE = 'manifest.json';

/**
 * Reads the `manifest.json` beside a model's files, as our own trainings leave it; null where there is none, or one of another
 * kind (a web page's, for instance).
 * @throws AppError `invalid` (what it says), `model-load` (the files are not those that it describes), naming the file.
 */
export async function givenManifest(files: readonly InspectedFile[]): Promise<GivenManifest | null> {
  const [first] = files;
  if (first === undefined) return null;
  const path = join(dirname(first.path), FILE);
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return null;
  const ours = z.looseObject({ format: z.number(), id: z.string(), family: z.string() }).safeParse(asJson(text));
  if (!ours.success) return null;
  const places: Record<string, string> = {};
  for (const weights of weightFiles(parseManifest(text, path))) {
    const file = files.find(({ sha256 }) => sha256 === weights.sha256);
    if (!file) {
      throw new AppError(
        'model-load',
        `${path} describes ${weights.path} by its SHA-256, and no file here has it. Copy both from the training again, or add the file from a folder without that manifest.`,
        { path },
      );
    }
    places[weights.path] = file.path;
  }
  return { manifest: { ...ours.data, goldens: [] }, places };
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
