import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportPlan, ImportReport } from '../src/shared/calls/imports.ts';
import type { Annotation, ImageRecord } from '../src/shared/records.ts';
import { findProject } from '../src/main/project-place.ts';
import { verifyProject } from '../src/main/store/replay.ts';
import { openProjectSnapshot } from '../src/main/store/snapshot.ts';
import { all, appFolder, call, folder, studio } from './studio-fixture.ts';

export interface Made {
  readonly id: number | string;
  readonly image: number;
  readonly category?: number;
  readonly x?: number;
}

/** A dataset of the photographs 1.jpg to 4.jpg, with squares of ten pixels. */
export function dataset(annotations: readonly Made[], more: Record<string, unknown> = {}): string {
  const file = join(`${folder}-app`, `dataset-${annotations.length}-${Object.keys(more).length}.json`);
  mkdirSync(`${folder}-app`, { recursive: true });
  const value = {
    info: { year: 2026 },
    images: [1, 2, 3, 4].map((n) => ({ id: 100 + n, file_name: `${n}.jpg`, width: 80, height: 60, extra: n })),
    annotations: annotations.map(({ id, image, category = 1, x = 10 }) => ({
      id,
      image_id: 100 + image,
      category_id: category,
      segmentation: [[x, 10, x + 10, 10, x + 10, 20, x, 20]],
      area: 100,
      bbox: [x, 10, 10, 10],
      iscrowd: 0,
      mine: 'kept',
    })),
    categories: [
      { id: 1, name: 'mug', supercategory: 'kitchen' },
      { id: 2, name: 'mug' },
    ],
    ...more,
  };
  writeFileSync(file, JSON.stringify(value));
  return file;
}

export async function open(): Promise<Map<string, ImageRecord>> {
  await call('project.open', { folder });
  await studio.scanned();
  const { rows } = await call('images.list', all);
  return new Map(rows.map((row) => [row.path, row]));
}

export async function take(
  place: string,
  more: { onConflict?: 'skip' | 'add' | 'replace'; asDone?: boolean } = {},
): Promise<[ImportPlan, ImportReport]> {
  const plan = await call('import.read', { place, format: null });
  return [plan, await call('import.commit', { id: plan.id, ...more })];
}

export async function load(path: string): Promise<{ image: ImageRecord; annotations: readonly Annotation[]; revision: number }> {
  const { rows } = await call('images.list', { ...all, search: path });
  const [image] = rows;
  if (!image) throw new Error(`no image ${path}`);
  const { annotations, revision } = await call('document.load', { imageId: image.id });
  return { image, annotations, revision };
}

/** The numbers of all annotations with whether they would be written as they stand, in the order of an export. */
export function exported(): [number, boolean | null][] {
  const snapshot = openProjectSnapshot(findProject(folder, appFolder) ?? '');
  try {
    return [...snapshot.annotationOrder()].map(({ number, source }) => [number, source?.untouched ?? null]);
  } finally {
    snapshot.close();
  }
}

export function verified(): readonly string[] {
  return verifyProject(findProject(folder, appFolder) ?? '').problems;
}

export const FIVE: readonly Made[] = [
  { id: 50, image: 2 },
  { id: 7, image: 1 },
  { id: 0, image: 1, x: 30 },
  { id: 'a', image: 3 },
  { id: 9, image: 3, category: 2, x: 40 },
];
