import { posix } from 'node:path';
import type { SplitGroups, SplitPart, SplitReport } from '../shared/answers/splits.ts';
import type { SplitOptions } from '../shared/calls/splits.ts';
import { AppError } from '../shared/errors.ts';
import type { Label } from '../shared/records.ts';
import { HASH_BYTES, nearGroups } from '../shared/splits/near-duplicates.ts';
import type { Unit } from '../shared/splits/stratify.ts';
import { stratify } from '../shared/splits/stratify.ts';
import type { Db } from './store/database.ts';

interface PlanImage {
  readonly id: number;
  readonly path: string;
  readonly split: string | null;
}

/** The parts of a division, in the order of `options.parts`; images that it leaves out are in none. */
export interface SplitPlan {
  /** Pairs of an image's id and the index of its part, new ones only. */
  readonly assigned: Int32Array;
  readonly report: SplitReport;
}

export interface PlanRequest {
  readonly options: SplitOptions;
  /** What is there stays; only images in no part are put into one: this one, or null for all by the shares. */
  readonly add: { readonly to: string | null } | null;
}

const LISTED_GROUPS = 100;
const LISTED_IMAGES = 200;

/**
 * Divides the images of a project by a connection; nothing is written. Near-duplicates are told by the hashes that are
 * kept. Throws AppError `invalid` for a pattern that is no regular expression, or no image to divide.
 */
export function planSplit(
  db: Db,
  labels: readonly Label[],
  { options, add }: PlanRequest,
  onProgress: (done: number, total: number) => void,
): SplitPlan {
  if (options.kind === 'imported' && add === null) {
    throw new AppError('invalid', 'Only an import brings its own split. Choose another way to divide the images.');
  }
  const wanted = options.images === 'all' ? '' : `AND (i.state = 'done' OR EXISTS (SELECT 1 FROM annotation a WHERE a.image_id = i.id))`;
  const kept = add === null ? '' : 'OR s.name IS NOT NULL';
  // By path: the same folder is divided in the same way on every machine.
  const images = db
    .prepare<[], PlanImage>(
      `SELECT i.id, i.path, s.name AS split FROM image i LEFT JOIN split s ON s.image_id = i.id
      WHERE (i.missing = 0 AND i.error IS NULL ${wanted}) ${kept} ORDER BY i.sort_key, i.path`,
    )
    .all();
  if (images.length === 0) {
    throw new AppError(
      'invalid',
      options.images === 'all'
        ? 'There is no readable image to divide.'
        : 'There is no image with instances and no done one. Annotate some first, or divide all images.',
    );
  }
  const presence = options.kind === 'random' ? null : presenceOf(db);
  const names = options.parts.map((part) => part.name);
  const groups = groupsOf(db, options, images, onProgress);
  const partOf = (image: PlanImage): number => (add === null || image.split === null ? -1 : names.indexOf(image.split));
  const units = unitsOf(images, groups?.group ?? null, presence, partOf);
  const target = add?.to ?? null;
  const targetIndex = target === null ? -1 : names.indexOf(target);
  if (target !== null && targetIndex < 0)
    throw new AppError('invalid', `There is no split “${target}”: ${names.join(', ')}.`, { split: target });
  const parts =
    targetIndex >= 0
      ? Int32Array.from(units, (unit) => (unit.fixed >= 0 ? unit.fixed : targetIndex))
      : stratify(
          units.map(({ unit }) => unit),
          options.parts.map((part) => part.share),
          options.seed,
        );
  const assigned: number[] = [];
  const partByImage = new Map<number, number>();
  units.forEach((unit, u) => {
    for (const image of unit.images) {
      const old = partOf(image);
      const part = old >= 0 ? old : (parts[u] ?? 0);
      partByImage.set(image.id, part);
      if (old < 0) assigned.push(image.id, part);
    }
  });
  return {
    assigned: Int32Array.from(assigned),
    report: {
      options,
      madeAtMs: null,
      intact: true,
      parts: partFigures(db, labels, options, (imageId) => partByImage.get(imageId) ?? -1),
      unassigned: (db.prepare<[], number>('SELECT count(*) FROM image').pluck().get() ?? 0) - partByImage.size,
      groups: groups && groupFigures(units, groups.plain, (image) => names[partByImage.get(image.id) ?? -1] ?? ''),
    },
  };
}

/** The frozen division as it is now. */
export function frozenSplit(db: Db, labels: readonly Label[], options: SplitOptions): Pick<SplitReport, 'parts' | 'unassigned'> {
  const names = options.parts.map((part) => part.name);
  const parts = new Map<number, number>();
  for (const { id, name } of db.prepare<[], { id: number; name: string }>('SELECT image_id AS id, name FROM split').iterate()) {
    parts.set(id, names.indexOf(name));
  }
  return {
    parts: partFigures(db, labels, options, (imageId) => parts.get(imageId) ?? -1),
    unassigned: (db.prepare<[], number>('SELECT count(*) FROM image').pluck().get() ?? 0) - parts.size,
  };
}

/** Instances by class of each image, without crowds: they train nothing. */
function* presenceRows(db: Db): Iterable<{ imageId: number; labelId: number; instances: number }> {
  yield* db
    .prepare<[], { imageId: number; labelId: number; instances: number }>(
      `SELECT image_id AS imageId, label_id AS labelId, count(*) AS instances FROM annotation WHERE crowd = 0 GROUP BY image_id, label_id`,
    )
    .iterate();
}

/** Instances by class, by image. */
type Presence = ReadonlyMap<number, readonly (readonly [labelId: number, instances: number])[]>;

function presenceOf(db: Db): Presence {
  const presence = new Map<number, (readonly [number, number])[]>();
  for (const { imageId, labelId, instances } of presenceRows(db)) {
    const labels = presence.get(imageId);
    if (labels) labels.push([labelId, instances]);
    else presence.set(imageId, [[labelId, instances]]);
  }
  return presence;
}

interface ImageUnit {
  readonly name: string;
  readonly images: readonly PlanImage[];
  readonly fixed: number;
  readonly unit: Unit;
}

interface Groups {
  /** For each image the key of its group. */
  readonly group: readonly string[];
  readonly plain: number;
}

function unitsOf(
  images: readonly PlanImage[],
  group: readonly string[] | null,
  presence: Presence | null,
  partOf: (image: PlanImage) => number,
): ImageUnit[] {
  const members = new Map<string, PlanImage[]>();
  images.forEach((image, i) => {
    const key = group === null ? image.path : (group[i] ?? image.path);
    const list = members.get(key);
    if (list) list.push(image);
    else members.set(key, [image]);
  });
  return [...members].map(([name, list]) => {
    const labels = new Map<number, number>();
    const instances = new Map<number, number>();
    const votes = new Map<number, number>();
    for (const image of list) {
      for (const [labelId, count] of presence?.get(image.id) ?? []) {
        labels.set(labelId, (labels.get(labelId) ?? 0) + 1);
        instances.set(labelId, (instances.get(labelId) ?? 0) + count);
      }
      const part = partOf(image);
      if (part >= 0) votes.set(part, (votes.get(part) ?? 0) + 1);
    }
    // A group goes where most of it is.
    const fixed = [...votes].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0] ?? -1;
    return { name, images: list, fixed, unit: { images: list.length, labels, instances, fixed } };
  });
}

function groupsOf(
  db: Db,
  options: SplitOptions,
  images: readonly PlanImage[],
  onProgress: (done: number, total: number) => void,
): Groups | null {
  switch (options.kind) {
    case 'random':
    case 'class':
    case 'imported':
      return null;
    case 'folder':
      return { group: images.map(({ path }) => posix.dirname(path)), plain: 0 };
    case 'pattern': {
      const pattern = patternOf(options.pattern);
      return {
        group: images.map(({ path }) => {
          const found = pattern.exec(path);
          // What does not match stands for itself; no path has a line break before it.
          return found === null ? `\n${path}` : (found[1] ?? found[0]);
        }),
        plain: 0,
      };
    }
    case 'near-duplicate': {
      const hash = db
        .prepare<[number], Buffer>('SELECT h.hash FROM image i JOIN image_hash h ON h.sha256 = i.sha256 WHERE i.id = ?')
        .pluck();
      const hashes = new Uint8Array(images.length * HASH_BYTES);
      images.forEach(({ id }, i) => {
        const found = hash.get(id);
        if (found) hashes.set(found, i * HASH_BYTES);
      });
      const { group, plain } = nearGroups(hashes, options.nearBits, onProgress);
      return { group: Array.from(group, (i) => images[i]?.path ?? ''), plain };
    }
  }
}

function patternOf(text: string): RegExp {
  if (text === '')
    throw new AppError('invalid', 'The pattern is empty: write a regular expression whose first group names what belongs together.');
  try {
    return new RegExp(text, 'u');
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new AppError('invalid', `The pattern is no regular expression: ${why}.`, { pattern: text }, thrown);
  }
}

function partFigures(db: Db, labels: readonly Label[], options: SplitOptions, partOf: (imageId: number) => number): SplitPart[] {
  const sum = options.parts.reduce((total, part) => total + part.share, 0);
  const figures = options.parts.map(() => new Map<number, { instances: number; images: number }>());
  const used = new Set<number>();
  for (const { imageId, labelId, instances } of presenceRows(db)) {
    used.add(labelId);
    const figure = figures[partOf(imageId)];
    if (!figure) continue;
    const label = figure.get(labelId) ?? { instances: 0, images: 0 };
    label.instances += instances;
    label.images += 1;
    figure.set(labelId, label);
  }
  const images = new Float64Array(options.parts.length);
  for (const id of db.prepare<[], number>('SELECT id FROM image').pluck().iterate()) {
    const part = partOf(id);
    if (part >= 0) images[part] = (images[part] ?? 0) + 1;
  }
  return options.parts.map(({ name, share }, i) => {
    const classes = labels
      .filter(({ id }) => used.has(id))
      .map(({ id, name: label }) => ({ labelId: id, name: label, ...(figures[i]?.get(id) ?? { instances: 0, images: 0 }) }));
    return {
      name,
      share: share / sum,
      images: images[i] ?? 0,
      instances: classes.reduce((total, one) => total + one.instances, 0),
      classes,
    };
  });
}

function groupFigures(units: readonly ImageUnit[], plain: number, partName: (image: PlanImage) => string): SplitGroups {
  const listed = units
    .filter((unit) => unit.images.length > 1)
    .sort((a, b) => b.images.length - a.images.length || (a.name < b.name ? -1 : 1))
    .slice(0, LISTED_GROUPS);
  return {
    count: units.length,
    plain,
    listed: listed.map(({ name, images }) => ({
      name,
      part: images[0] ? partName(images[0]) : '',
      imageIds: images.slice(0, LISTED_IMAGES).map((image) => image.id),
      images: images.length,
    })),
  };
}
