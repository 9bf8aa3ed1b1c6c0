import { createHash, randomUUID } from 'node:crypto';
import { copyFile, link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LeftOut } from '../../shared/answers.ts';
import type { BundleCheck, BundlePart, BundleProgress, BundleReport, BundleSplit } from '../../shared/answers/bundles.ts';
import { BUNDLE_SPLITS } from '../../shared/answers/bundles.ts';
import type { BundleOptions } from '../../shared/calls/bundles.ts';
import { AppError } from '../../shared/errors.ts';
import type { ImageRecord } from '../../shared/records.ts';
import { checkCoco } from '../formats/coco-check.ts';
import { cocoCategories, writeCoco } from '../formats/coco.ts';
import type { DatasetSource } from '../formats/dataset.ts';
import type { ExportSource } from '../formats/source.ts';
import { makeFolder } from '../make-folder.ts';
import { packageFolder } from '../version.ts';
import { BUNDLE_FILE, CATEGORIES_FILE, moveIntoPlace, refuseInUse, removeEmpty } from './place.ts';
import { bundleReadme } from './readme.ts';

/** Scripts that are the same in every bundle. They lie beside the trainings of our own models. */
const SCRIPTS = [
  'train_torchvision.py',
  'train_detectron2.py',
  'detectron2.yaml',
  'bundle_data.py',
  'bundle_model.py',
  'bundle_score.py',
  'requirements.txt',
];
/** As a path: inside of a packaged app's archive that is what is looked for. */
const TEMPLATES = fileURLToPath(new URL('models/training/bundle/', packageFolder));
/** Fewer instances of a class than this are hardly learned. */
const FEW_INSTANCES = 10;

/** The project as a bundle reads it. */
export type BundleSource = ExportSource & Pick<DatasetSource, 'split' | 'fileOf'>;

/** What makes one dataset of a project: the images of a split in the states asked for. */
interface Part {
  readonly source: DatasetSource;
  readonly count: number;
}

/**
 * Writes a folder that retrains a Mask R-CNN as it lies: `dataset/images` (paths as in the project), `dataset/annotations/
 * {train,val,test}.json` (COCO, read back and compared as every export), `categories.json`, scripts and `README.md`.
 *
 * Everything is written into a folder inside `out` and moved to its place at the end, so that a failure leaves `out` as it
 * was. An earlier bundle is replaced only with `overwrite`; files that are no bundle's, `runs` among them, are never touched.
 *
 * Throws AppError: `conflict` (the folder holds something), `invalid` (nothing to train on, no images held out), as
 * `writeCoco` and `checkCoco`, `io`, `cancelled`.
 */
export async function writeBundle(
  source: BundleSource,
  options: BundleOptions & { readonly splitsMade: string | null; readonly version: string },
  signal?: AbortSignal,
  onProgress?: (progress: BundleProgress) => void,
): Promise<BundleReport> {
  const started = performance.now();
  const out = resolve(options.out);
  const { parts, skipped } = partsOf(source, options);
  await refuseInUse(out, options.overwrite);
  const draft = join(out, `.bundle-${randomUUID().slice(0, 8)}`);
  let made: string | null = null;
  try {
    signal?.throwIfAborted();
    made = makeFolder(out);
    await mkdir(join(draft, 'dataset', 'annotations'), { recursive: true });
    const files = await placeImages(parts, draft, options.images, signal, onProgress);
    const written = await writeParts(parts, draft, options, signal, onProgress);
    const report: BundleReport = {
      format: 'mask-rcnn',
      out,
      files: ['README.md', BUNDLE_FILE, CATEGORIES_FILE, ...SCRIPTS, 'dataset/'],
      parts: written.parts,
      categories: written.categories,
      pixelSpace: options.pixelSpace,
      ...files,
      skipped: [...skipped, ...written.skipped],
      warnings: warningsOf(written.parts, written.categories),
      splitsMade: options.splitsMade,
      verified: written.verified,
      ms: Math.round(performance.now() - started),
    };
    await writeScripts(draft, source, report, options.version);
    signal?.throwIfAborted();
    await moveIntoPlace(draft, out);
    return report;
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    if (made !== null) await removeEmpty(out, made);
    throw bundleError(cause, out, signal);
  }
}

/** The project by splits. Throws `invalid` where training or measuring would have nothing. */
function partsOf(source: BundleSource, options: BundleOptions): { parts: ReadonlyMap<BundleSplit, Part>; skipped: readonly LeftOut[] } {
  const skipped: LeftOut[] = [];
  const splits = new Map<number, BundleSplit>();
  const counts = { train: 0, val: 0, test: 0 };
  let known = 0;
  for (const image of source.images()) {
    const split = BUNDLE_SPLITS.find((name) => name === source.split(image.id));
    const reason = reasonToSkip(image, options.states) ?? (split === undefined ? { reason: 'is in none of train, val and test' } : null);
    if (split !== undefined) known++;
    if (reason !== null || split === undefined) {
      skipped.push({ path: image.path, ...(reason ?? { reason: '' }) });
      continue;
    }
    splits.set(image.id, split);
    counts[split]++;
  }
  const states = options.states.length === 0 ? '' : ` ${options.states.join(' or ')}`;
  if (known === 0) throw new AppError('invalid', 'No image is in train, val or test: split the images first.', { key: 'splits' });
  if (splits.size === 0)
    throw new AppError('invalid', `No image that is in a split is${states}: mark images as done, or take those of every state.`, {
      key: 'states',
    });
  if (counts.train === 0)
    throw new AppError('invalid', `No image${states} is in “train”: there is nothing to train on.`, { key: 'splits' });
  if (counts.val + counts.test === 0)
    throw new AppError('invalid', `No image${states} is in “val” or “test”: nothing would tell how good the model is.`, { key: 'splits' });
  const parts = new Map<BundleSplit, Part>();
  for (const split of BUNDLE_SPLITS.filter((name) => counts[name] > 0)) {
    parts.set(split, { source: only(source, (id) => splits.get(id) === split, counts[split]), count: counts[split] });
  }
  return { parts, skipped };
}

function reasonToSkip(image: ImageRecord, states: BundleOptions['states']): Omit<LeftOut, 'path'> | null {
  if (image.error !== null) return { reason: `cannot be read: ${image.error}` };
  if (states.length > 0 && !states.includes(image.state))
    return { reason: `its state is ${image.state}, not ${states.join(' or ')}`, asked: true };
  return null;
}

/** Some images of a source, with the project's own ids and by our own rules: a script is not made to read what others wrote. */
function only(source: BundleSource, takes: (imageId: number) => boolean, imageCount: number): DatasetSource {
  function* images(): Generator<ImageRecord> {
    for (const image of source.images()) if (takes(image.id)) yield image;
  }
  return {
    ...source,
    imageCount,
    images,
    sourceOf: () => null,
    *imageOrder() {
      for (const { id } of images()) yield { id, source: null };
    },
    *annotationOrder() {
      for (const { id: imageId } of images()) {
        const all = [...source.document(imageId)].sort((a, b) => a.number - b.number);
        for (const { number, annotation } of all)
          yield { number, imageId, labelId: annotation.labelId, source: null, annotation: () => annotation };
      }
    },
    rest: () => [],
  };
}

async function placeImages(
  parts: ReadonlyMap<BundleSplit, Part>,
  draft: string,
  how: BundleOptions['images'],
  signal: AbortSignal | undefined,
  onProgress: ((progress: BundleProgress) => void) | undefined,
): Promise<Pick<BundleReport, 'copied' | 'linked' | 'imageBytes'>> {
  const total = [...parts.values()].reduce((sum, part) => sum + part.count, 0);
  const done = { copied: 0, linked: 0, imageBytes: 0 };
  for (const { source } of parts.values()) {
    for (const image of source.images()) {
      signal?.throwIfAborted();
      const from = source.fileOf(image);
      if (from === null) throw new AppError('io', `${image.path} is not there any more. Open the folder again.`, { path: image.path });
      const to = join(draft, 'dataset', 'images', image.path.split('/').join(sep));
      await mkdir(dirname(to), { recursive: true });
      const linked = how === 'link' && (await link(from, to).then(...ANSWERS));
      if (!linked) await copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      done[linked ? 'linked' : 'copied']++;
      done.imageBytes += (await stat(to)).size;
      onProgress?.({ stage: 'images', done: done.copied + done.linked, total });
    }
  }
  return done;
}

/** Whether it worked. */
const ANSWERS = [() => true, () => false] as const;

async function writeParts(
  parts: ReadonlyMap<BundleSplit, Part>,
  draft: string,
  { includeEmpty, pixelSpace }: BundleOptions,
  signal: AbortSignal | undefined,
  onProgress: ((progress: BundleProgress) => void) | undefined,
): Promise<Pick<BundleReport, 'parts' | 'categories' | 'skipped' | 'verified'>> {
  const found: BundlePart[] = [];
  const skipped: LeftOut[] = [];
  const annotations = new Map<number, { all: number; training: number }>();
  let labels: readonly { readonly id: number; readonly name: string }[] = [];
  const verified = { annotationsCompared: 0, minIou: 1, maxAreaDifference: 0, maxBoxDifference: 0 };
  for (const [split, { source }] of parts) {
    const file = join(draft, 'dataset', 'annotations', `${split}.json`);
    // States were looked at already.
    const options = { includeEmpty, pixelSpace, states: [] };
    const written = await writeCoco(source, file, options, signal, onProgress);
    const checked = await checkCoco(file, source, options, written, signal, onProgress);
    found.push({
      split,
      images: written.images,
      emptyImages: written.emptyImages,
      annotations: written.annotations,
      crowds: written.crowds,
    });
    skipped.push(...written.skipped);
    labels = cocoCategories(source.labels);
    for (const [id, count] of written.byLabel) {
      const { all, training } = annotations.get(id) ?? { all: 0, training: 0 };
      annotations.set(id, { all: all + count, training: training + (split === 'train' ? count : 0) });
    }
    add(verified, checked);
  }
  const categories = labels.map(({ id, name }) => {
    const { all, training } = annotations.get(id) ?? { all: 0, training: 0 };
    return { id, name, annotations: all, training };
  });
  return { parts: found, skipped, categories, verified };
}

function add(sum: { -readonly [K in keyof BundleCheck]: number }, one: BundleCheck): void {
  sum.annotationsCompared += one.annotationsCompared;
  sum.minIou = Math.min(sum.minIou, one.minIou);
  sum.maxAreaDifference = Math.max(sum.maxAreaDifference, one.maxAreaDifference);
  sum.maxBoxDifference = Math.max(sum.maxBoxDifference, one.maxBoxDifference);
}

/** Throws `invalid` where there is nothing to learn. */
function warningsOf(parts: readonly BundlePart[], categories: BundleReport['categories']): readonly string[] {
  const training = parts.find(({ split }) => split === 'train');
  if ((training?.annotations ?? 0) === 0) {
    throw new AppError('invalid', 'The images of “train” have no instance: there is nothing to learn.', { key: 'splits' });
  }
  const warnings: string[] = [];
  for (const { name, training: count, annotations } of categories) {
    if (annotations === 0) warnings.push(`Class “${name}” has no instance: it takes part, but is never learned.`);
    else if (count === 0) warnings.push(`Class “${name}” has instances, but none in “train”: it cannot be learned.`);
    else if (count < FEW_INSTANCES) warnings.push(`Class “${name}” has only ${count} in “train”: few to learn from.`);
    if (count > 0 && annotations === count) warnings.push(`Class “${name}” has no instance outside of “train”: nothing measures it.`);
  }
  return warnings;
}

async function writeScripts(draft: string, source: BundleSource, report: BundleReport, version: string): Promise<void> {
  for (const name of SCRIPTS) await writeFile(join(draft, name), await readFile(join(TEMPLATES, name)));
  const categories = report.categories.map(({ id, name }, index) => ({ id, name, index: index + 1 }));
  await writeJson(join(draft, CATEGORIES_FILE), { categories });
  const splits: Record<string, object> = {};
  for (const { split, images, annotations } of report.parts) {
    const bytes = await readFile(join(draft, 'dataset', 'annotations', `${split}.json`));
    splits[split] = { images, annotations, sha256: createHash('sha256').update(bytes).digest('hex') };
  }
  await writeJson(join(draft, BUNDLE_FILE), {
    format: 1,
    project: source.projectName,
    model_id: modelId(source.projectName),
    maskloop: version,
    pixel_space: report.pixelSpace,
    splits,
  });
  await writeFile(join(draft, 'README.md'), bundleReadme(source.projectName, report));
}

/** As manifests take it: lower case letters, digits and hyphens. */
function modelId(project: string): string {
  const plain = project
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 44)
    .replace(/-+$/, '');
  return `${plain || 'project'}-mask-rcnn`;
}

async function writeJson(path: string, value: object): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

function bundleError(cause: unknown, out: string, signal: AbortSignal | undefined): AppError {
  if (cause instanceof AppError) return cause;
  if (signal?.aborted === true) return new AppError('cancelled', 'The export was cancelled; nothing was written.', { out }, cause);
  const said = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof Error && 'code' in cause) return new AppError('io', `${out}: the bundle cannot be written: ${said}`, { out }, cause);
  return new AppError('internal', `The bundle could not be written: ${said}`, { out }, cause);
}
