import type { CutoutPreview } from '../shared/answers/cutouts.ts';
import type { CutoutPreviewOptions } from '../shared/calls/cutouts.ts';
import { AppError } from '../shared/errors.ts';
import type { CutObject } from './cutout.ts';
import { cutPictures, groundSize, makeCut, planCut } from './cutout.ts';
import type { RgbImage } from './inference/pixels.ts';
import { decodeRgb, encodePng, shrinkPng } from './inference/pixels.ts';
import { createRenderThread } from './render-thread.ts';

export interface PreviewSubject {
  /** Absolute. */
  readonly file: string;
  /** Hash of its content. */
  readonly version: string;
  readonly stem: string;
  readonly objects: readonly CutObject[];
}

/** The picture that would be written, small; one at a time, the newest question wins. */
export interface CutoutPreviews {
  /** Throws `cancelled` once a newer question is asked, `invalid` where the objects have no pixel, and as `decodeRgb`. */
  make(subject: PreviewSubject, options: CutoutPreviewOptions): Promise<CutoutPreview>;
  stop(): Promise<void>;
}

export function createCutoutPreview(): CutoutPreviews {
  let asked = new AbortController();
  let busy: Promise<unknown> = Promise.resolve();
  /** The image asked about last: the next question is mostly about the same one. */
  let kept: { readonly version: string; readonly image: RgbImage } | null = null;

  async function make(subject: PreviewSubject, options: CutoutPreviewOptions, signal: AbortSignal): Promise<CutoutPreview> {
    if (kept?.version !== subject.version) kept = { version: subject.version, image: await decodeRgb(subject.file) };
    const { image } = kept;
    const [first] = cutPictures(subject.objects, subject.stem, options.together);
    const plan =
      first &&
      planCut(
        first.objects.map((o) => o.geometry),
        image,
        options,
        await groundSize(options.background),
      );
    if (!first || !plan) throw new AppError('invalid', 'What is chosen has no pixel to cut out.', {});
    if (signal.aborted) throw new AppError('cancelled', 'A newer preview was asked for.');
    const thread = createRenderThread(signal);
    try {
      const cut = await makeCut(thread, image, plan, options);
      const scale = Math.min(1, options.maxPx / Math.max(cut.width, cut.height));
      const [width, height] = [Math.max(1, Math.round(cut.width * scale)), Math.max(1, Math.round(cut.height * scale))];
      const bytes = scale < 1 ? await shrinkPng(cut, width, height) : await encodePng(cut.data, cut.width, cut.height, cut.channels);
      const url = `data:image/png;base64,${bytes.toString('base64')}`;
      return { url, width, height, fullWidth: cut.width, fullHeight: cut.height, name: `${first.name}.png` };
    } finally {
      await thread.close();
    }
  }

  return {
    make(subject, options) {
      asked.abort();
      asked = new AbortController();
      const { signal } = asked;
      const made = busy.then(() => {
        if (signal.aborted) throw new AppError('cancelled', 'A newer preview was asked for.');
        return make(subject, options, signal);
      });
      busy = made.catch(() => undefined);
      return made;
    },
    async stop() {
      asked.abort();
      await busy;
      kept = null;
    },
  };
}
