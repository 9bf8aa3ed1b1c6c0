import type { ImageDocument } from '../../shared/records.ts';
import type { Draft } from '../editor/tools/draft.ts';
import type { EditorView } from '../editor/types.ts';

/**
 * Read-only insight for tests and for bug reports: where the image lies on the canvas, and what the window
 * believes is in the document. Nothing in the studio reads it, and nothing can be changed through it.
 */
export interface Diagnostics {
  /** `screen = image * scale + (x, y)`, CSS pixels from the top left corner of the canvas. */
  viewport(): { readonly scale: number; readonly x: number; readonly y: number };
  document(): ImageDocument | null;
  readonly revision: number | null;
  /** What the tool in hand shows that nobody has accepted yet. */
  draft(): Draft | null;
}

declare global {
  interface Window {
    __maskloop?: Diagnostics;
  }
}

/** Answers with the way to take it away again. */
export function exposeDiagnostics(editor: EditorView): () => void {
  const diagnostics: Diagnostics = Object.freeze({
    viewport: () => ({ ...editor.stage.viewport }),
    document: () => editor.document,
    get revision() {
      return editor.document?.revision ?? null;
    },
    draft: () => editor.stage.draft,
  });
  window.__maskloop = diagnostics;
  return () => {
    if (window.__maskloop === diagnostics) delete window.__maskloop;
  };
}
