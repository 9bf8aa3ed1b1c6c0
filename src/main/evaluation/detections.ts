import { basename } from 'node:path';
import type { EvaluatedSource, EvaluationReport } from '../../shared/answers/evaluation.ts';
import type { EvaluationOptions } from '../../shared/calls/evaluation.ts';
import { AppError } from '../../shared/errors.ts';
import { segmentationRuns } from '../../shared/evaluate/dataset.ts';
import { countsToString } from '../../shared/mask/rle.ts';
import { runsBox } from '../../shared/mask/runs.ts';
import type { CocoId } from '../formats/coco-ids.ts';
import { categoryIds, imageIds } from '../formats/coco-ids.ts';
import { createBreath } from '../formats/breath.ts';
import { datasetOf, openProjectSnapshot } from '../store/snapshot.ts';
import type { NamedDetection } from './coco-rows.ts';
import type { Detected, EvaluatedImage, EvaluationProject } from './project-source.ts';
import { readResults } from './results-rows.ts';

/** How many names that fit nothing are told. */
const NAMES = 20;

/** What is compared with the truth, image by image. */
export interface Detections {
  readonly source: EvaluatedSource;
  /** Null where nobody looked at the image; at least `minScore` each, best first. */
  of(imageId: number): readonly Detected[] | null;
  readonly unmatched: EvaluationReport['unmatched'];
}

/** Reads what is to be evaluated. Throws `not-found`, or as `resultsDetections`. */
export async function openDetections(
  project: EvaluationProject,
  file: string,
  { source, minScore }: Pick<EvaluationOptions, 'source' | 'minScore'>,
  tell: (done: number, total: number) => void,
): Promise<Detections> {
  if (source.kind === 'file') return await resultsDetections(project, await exportedIds(file), source.path, minScore, tell);
  const { name, runs } = project.looked(source);
  return {
    source: { kind: source.kind, name: `${name.modelId} ${name.modelVersion}`.trim(), modelId: name.modelId, runId: name.runId },
    of(imageId) {
      const runId = runs.get(imageId);
      if (runId === undefined) return null;
      return project.suggestions(runId, imageId).filter(({ score }) => score >= minScore);
    },
    unmatched: { detections: 0, names: [] },
  };
}

/**
 * A COCO results file, its images and classes matched with the project's: by `file_name` (the whole path, or the last part
 * where only one image has it) and `category_name` where they are there, by the ids of the project's COCO exports else. Every image counts as looked at.
 * Throws AppError `io`, or `invalid` naming the file and the record; also where nothing fits.
 */
async function resultsDetections(
  project: EvaluationProject,
  ids: ExportedIds,
  path: string,
  minScore: number,
  tell: (done: number, total: number) => void,
): Promise<Detections> {
  const imageOf = matcher(project.images, ids.images);
  const labels = new Map(project.labels.map(({ id, name }) => [name, id]));
  const labelIds = new Set(labels.values());
  const found = new Map<number, Detected[]>();
  const names = new Set<string>();
  let unmatched = 0;
  let total = 0;
  await readResults(
    path,
    (row, index) => {
      total++;
      const image = row.file_name === null ? imageOf.byId(row.image_id) : imageOf.byName(row.file_name);
      const labelId = (row.category_name === null ? ids.categories.get(String(row.category_id)) : labels.get(row.category_name)) ?? 0;
      if (!image || !labelIds.has(labelId)) {
        unmatched++;
        if (names.size < NAMES)
          names.add(image ? (row.category_name ?? `category ${row.category_id}`) : (row.file_name ?? `image ${row.image_id}`));
        return;
      }
      if (row.score < minScore) return;
      const detected = detectedOf(row, image, labelId, `${path}: detection number ${index}`);
      const list = found.get(image.id);
      if (list) list.push(detected);
      else found.set(image.id, [detected]);
    },
    { byName: true, onProgress: tell },
  );
  if (total > 0 && unmatched === total) {
    throw new AppError(
      'invalid',
      `None of the ${total} detections of ${path} fits an image and a class of this project (${[...names].slice(0, 5).join(', ')} …).`,
      { path },
    );
  }
  for (const list of found.values()) list.sort((a, b) => b.score - a.score);
  return {
    source: { kind: 'file', name: basename(path), modelId: null, runId: null },
    of: (imageId) => found.get(imageId) ?? [],
    unmatched: { detections: unmatched, names: [...names] },
  };
}

/** A detection with its mask on the image; one without a mask is its box, filled. */
function detectedOf(row: NamedDetection, image: EvaluatedImage, labelId: number, what: string): Detected {
  const { bbox, segmentation, score } = row;
  if (!bbox && !segmentation) throw new AppError('invalid', `${what} has neither a segmentation nor a bbox.`, {});
  const corners = bbox
    ? [bbox[0], bbox[1], bbox[0], bbox[1] + bbox[3], bbox[0] + bbox[2], bbox[1] + bbox[3], bbox[0] + bbox[2], bbox[1]]
    : [];
  const { size, runs } = segmentationRuns(segmentation ?? [corners], image);
  if (size[0] !== image.height || size[1] !== image.width) {
    throw new AppError(
      'invalid',
      `${what} has a mask of ${size[1]}×${size[0]} pixels, but ${image.path} has ${image.width}×${image.height}.`,
      { path: image.path },
    );
  }
  return { id: null, labelId, score, box: bbox ?? runsBox(runs, image.height), rle: { size, counts: countsToString(runs) } };
}

/** The project's images and classes by the ids that its COCO exports have: those of an imported file are kept there. */
interface ExportedIds {
  readonly images: ReadonlyMap<string, number>;
  readonly categories: ReadonlyMap<string, number>;
}

async function exportedIds(file: string): Promise<ExportedIds> {
  const snapshot = openProjectSnapshot(file);
  try {
    const source = datasetOf(snapshot, '', '');
    const byId = (ids: ReadonlyMap<number, CocoId>): Map<string, number> => new Map([...ids].map(([own, { id }]) => [numberText(id), own]));
    return {
      images: byId(await imageIds(source, createBreath(), () => undefined)),
      categories: byId(await categoryIds(source, createBreath(), () => undefined)),
    };
  } finally {
    snapshot.close();
  }
}

/** An id's JSON text as results refer to it: `"7"` and `7` are one. */
function numberText(id: string): string {
  return id.replace(/^"(-?\d+)"$/, '$1');
}

function matcher(
  images: readonly EvaluatedImage[],
  exported: ReadonlyMap<string, number>,
): {
  byId(id: number): EvaluatedImage | null;
  byName(name: string): EvaluatedImage | null;
} {
  const ids = new Map(images.map((image) => [image.id, image]));
  const paths = new Map(images.map((image) => [image.path, image]));
  /** Null: several images have it. */
  const lasts = new Map<string, EvaluatedImage | null>();
  for (const image of images) {
    const last = basename(image.path);
    lasts.set(last, lasts.has(last) ? null : image);
  }
  return {
    byId: (id) => ids.get(exported.get(String(id)) ?? 0) ?? null,
    byName(name) {
      const path = name.replaceAll('\\', '/');
      return paths.get(path) ?? lasts.get(basename(path)) ?? null;
    },
  };
}
