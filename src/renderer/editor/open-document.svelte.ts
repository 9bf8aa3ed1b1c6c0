import { AppError, toWireError } from '../../shared/errors.ts';
import type { Diff } from '../../shared/diff.ts';
import type { ImageDocument } from '../../shared/records.ts';
import type { Client } from '../client.ts';
import type { Camera } from './camera.svelte.ts';
import { createImageCache } from './image-cache.ts';
import type { DocumentCalls, Saving } from './saving.ts';
import { createSaving } from './saving.ts';
import type { SaveState } from './types.ts';

/** The image that is open, its document with unsaved edits, and how its saving stands. Reactive. */
export interface OpenDocument {
  readonly document: ImageDocument | null;
  readonly image: HTMLImageElement | null;
  readonly imageError: string | null;
  readonly loading: boolean;
  readonly save: SaveState;
  /** Waits for unsaved edits, then shows another image. A slow opening never overwrites a later one. */
  open(imageId: number, imageUrl: string): Promise<void>;
  close(): Promise<void>;
  refresh(): Promise<void>;
  commit(diff: Diff): boolean;
  travel(direction: 'undo' | 'redo'): Promise<void>;
  retry(): Promise<void>;
  discard(): Promise<void>;
  prefetch(imageUrls: readonly string[]): void;
}

export interface OpenDocumentContext {
  readonly client: Client;
  readonly camera: Camera;
  /** Before edits are waited for: what is half done becomes an edit. */
  onSettle(): void;
  /** The document is another one now, by an edit, an undo or a reload. */
  onDocument(): void;
  /** Nothing is open now. */
  onClear(): void;
}

export function createOpenDocument(context: OpenDocumentContext): OpenDocument {
  const { client, camera } = context;
  let document = $state.raw<ImageDocument | null>(null);
  let image = $state.raw<HTMLImageElement | null>(null);
  let imageError = $state<string | null>(null);
  let loading = $state(false);
  let save = $state.raw<SaveState>({ kind: 'clean' });
  let saving: Saving | null = null;
  /** Counts openings, so that a slow one does not overwrite a later one. */
  let opening = 0;
  const images = createImageCache();

  const calls: DocumentCalls = {
    load: (imageId) => client.call('document.load', { imageId }),
    apply: (imageId, base, diff) => client.call('document.apply', { imageId, base, diff }),
    undo: (imageId, base) => client.call('document.undo', { imageId, base }),
    redo: (imageId, base) => client.call('document.redo', { imageId, base }),
  };

  function setDocument(next: ImageDocument): void {
    document = next;
    context.onDocument();
  }

  function clear(): void {
    saving?.close();
    saving = null;
    document = null;
    image = null;
    imageError = null;
    save = { kind: 'clean' };
    context.onClear();
  }

  async function settle(): Promise<void> {
    context.onSettle();
    if (!saving || (await saving.settle())) return;
    const why = save.kind === 'failed' ? save.message : 'The studio did not answer.';
    const message = `Your last edits are not saved yet, so this image stays open. ${why}`;
    throw new AppError('storage', message, { imageId: document?.imageId ?? 0 });
  }

  if (typeof window !== 'undefined') {
    window.addEventListener('beforeunload', (event) => {
      if (saving?.unsaved) event.preventDefault();
    });
  }

  return {
    get document() {
      return document;
    },
    get image() {
      return image;
    },
    get imageError() {
      return imageError;
    },
    get loading() {
      return loading;
    },
    get save() {
      return save;
    },
    async open(imageId, imageUrl) {
      const ticket = ++opening;
      loading = true;
      try {
        await settle();
        if (ticket !== opening) return;
        const decoded = images.load(imageUrl).catch((error: unknown) => toWireError(error).message);
        const opened = await calls.load(imageId);
        const pixels = await decoded;
        if (ticket !== opening) return;
        clear();
        saving = createSaving(calls, opened, { onDocument: setDocument, onState: (state) => (save = state) });
        camera.setImage(opened);
        document = opened;
        if (typeof pixels === 'string') imageError = `This image cannot be shown: ${pixels}`;
        else if (pixels.naturalWidth !== opened.width || pixels.naturalHeight !== opened.height)
          imageError = `The image is ${pixels.naturalWidth}×${pixels.naturalHeight} pixels now, but ${opened.width}×${opened.height} in the project: read the folder again.`;
        else image = pixels;
      } finally {
        if (ticket === opening) loading = false;
      }
    },
    async close() {
      opening++;
      loading = false;
      await settle();
      clear();
    },
    async refresh() {
      await saving?.refresh();
    },
    commit(diff) {
      saving?.commit(diff);
      return saving !== null;
    },
    async travel(direction) {
      await saving?.[direction]();
    },
    retry: async () => saving?.retry(),
    async discard() {
      await saving?.discard();
    },
    prefetch: (urls) => images.prefetch(urls),
  };
}
