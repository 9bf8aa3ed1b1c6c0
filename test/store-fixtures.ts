import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import type { ScannedFile } from '../src/main/store/images.ts';
import type { Store } from '../src/main/store/store.ts';
import type { Diff } from '../src/shared/diff.ts';
import { EMPTY_DIFF } from '../src/shared/diff.ts';
import { encodeRle } from '../src/shared/mask/rle.ts';
import type { Annotation, Geometry, Rle } from '../src/shared/records.ts';

const folders: string[] = [];
// Registered while the file is collected, and so after all of its own: a hook that a running test registers is never called.
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder under the system's temporary one, removed when the test file ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'maskloop-test-'));
  folders.push(folder);
  return folder;
}

export function scanned(path: string, more: Partial<ScannedFile> = {}): ScannedFile {
  return { path, width: 64, height: 48, orientation: 1, bytes: 100, modifiedMs: 1, sha256: `hash of ${path}`, error: null, ...more };
}

/** A filled rectangle as a mask of a 64 x 48 image. */
export function rectangle(x: number, y: number, w: number, h: number, width = 64, height = 48): Rle {
  const data = new Uint8Array(width * height);
  for (let row = y; row < y + h; row++) data.fill(1, row * width + x, row * width + x + w);
  return encodeRle({ width, height, data });
}

export function annotation(id: string, labelId: number, more: Partial<Annotation> = {}): Annotation {
  const geometry: Geometry = { kind: 'polygon', parts: [{ outer: [1, 1, 20.25, 1, 20.25, 30.5], holes: [] }] };
  return { id: `annotation-${id}`, labelId, geometry, z: 1, crowd: false, origin: 'drawn', suggestionId: null, ...more };
}

export function adding(...added: Annotation[]): Diff {
  return { ...EMPTY_DIFF, added };
}

/** Images a.jpg, b.jpg, ... and the class mug; answers with their ids. */
export function seed(store: Store, images = 2): { imageIds: number[]; labelId: number } {
  const imageIds = store.images.add(Array.from({ length: images }, (_, i) => scanned(`${String.fromCharCode(97 + i)}.jpg`)));
  return { imageIds, labelId: store.labels.create('mug', null).id };
}

/** `expect.stringContaining`, typed: for use inside an expected object. */
export const containing = (text: string): unknown => expect.stringContaining(text);
/** `expect.stringMatching`, typed. */
export const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
