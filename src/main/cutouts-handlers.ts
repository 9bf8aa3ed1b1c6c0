import type { CutoutPreview, CutoutReport } from '../shared/answers/cutouts.ts';
import type { CUTOUT_CALLS, CutoutOptions, CutoutPreviewOptions, CutoutTarget } from '../shared/calls/cutouts.ts';
import type { Handlers } from '../shared/contract.ts';
import { AppError } from '../shared/errors.ts';
import type { Label } from '../shared/records.ts';
import type { CutSubject } from './cutout-job.ts';
import { writeCutouts } from './cutout-job.ts';
import { modelSubjects } from './cutout-model.ts';
import { createCutoutPreview } from './cutout-preview.ts';
import type { CutObject } from './cutout.ts';
import { cutObjects } from './cutout.ts';
import type { Inference } from './inference/inference.ts';
import { pathOf } from './jobs.ts';
import type { PictureJobs } from './picture-jobs.ts';
import type { Project } from './project.ts';
import { isMeant, pictureStems } from './render-files.ts';
import type { PictureSource } from './render.ts';

interface CutoutContext {
  readonly current: () => Project;
  readonly source: (project: Project) => PictureSource;
  readonly pictures: PictureJobs;
  readonly inference: Inference;
}

export interface Cutouts {
  readonly handlers: Pick<Handlers, keyof typeof CUTOUT_CALLS>;
  /** Stops a preview that is being made. */
  stop(): Promise<void>;
}

/** Cutting objects of the open project out of their images. */
export function createCutouts({ current, source, pictures, inference }: CutoutContext): Cutouts {
  const previews = createCutoutPreview();

  async function subjects(project: Project, target: CutoutTarget, signal: AbortSignal): Promise<CutSubject[]> {
    const from = source(project);
    const all = [...from.images()];
    const stems = pictureStems(all);
    const wanted = all.filter(({ id, path }) =>
      target.kind === 'instances'
        ? id === target.imageId
        : isMeant(path, target.pattern) && (!target.imageIds || target.imageIds.includes(id)),
    );
    const images = wanted.map((image) => {
      return { image, path: image.path, file: pathOf(from.folder, image), stem: stems.get(image.id) ?? image.path };
    });
    if (target.kind === 'images' && target.modelId !== null) {
      const usable = images.filter(({ image }) => image.error === null);
      return modelSubjects(inference, usable, { modelId: target.modelId, labels: target.labels, minScore: target.minScore, signal });
    }
    return images.map(({ image, ...subject }) => ({
      ...subject,
      objects() {
        if (image.error !== null) throw new AppError('unsupported', image.error, { path: image.path, reason: image.error });
        return Promise.resolve(chosen(from, image.id, target, from.labels));
      },
    }));
  }

  async function write(
    options: CutoutOptions,
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<CutoutReport> {
    const project = current();
    await project.scanned();
    const { target, ...job } = options;
    return writeCutouts(await subjects(project, target, signal), job, signal, onProgress);
  }

  async function preview(options: CutoutPreviewOptions): Promise<CutoutPreview> {
    const project = current();
    const image = project.store.images.get(options.target.imageId);
    const from = source(project);
    const stem = pictureStems(from.images()).get(image.id) ?? image.path;
    const objects = chosen(from, image.id, options.target, from.labels);
    return previews.make({ file: pathOf(from.folder, image), version: image.sha256, stem, objects }, options);
  }

  return {
    handlers: {
      'cutouts.write': (options) => pictures.run('cutout', (signal, onProgress) => write(options, signal, onProgress)),
      'cutouts.preview': preview,
    },
    stop: () => previews.stop(),
  };
}

/** The objects of one image that a target means. Throws `not-found` where a chosen one is not there any more. */
function chosen(from: PictureSource, imageId: number, target: CutoutTarget, labels: readonly Label[]): readonly CutObject[] {
  const document = from.document(imageId);
  if (target.kind === 'images') {
    return cutObjects(document, labels, target.minScore).filter(({ label }) => target.labels.length === 0 || target.labels.includes(label));
  }
  const ids = new Set<string | number | null>([...target.annotationIds, ...target.suggestionIds]);
  const found = cutObjects(document, labels, 0).filter(({ id }) => ids.has(id));
  if (found.length < ids.size || ids.size === 0) {
    throw new AppError('not-found', `Image ${imageId} has ${found.length} of the ${ids.size} instances to cut out. Choose them again.`, {
      imageId,
    });
  }
  return found;
}
