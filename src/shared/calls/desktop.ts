import { z } from 'zod';
import { call } from '../call.ts';

/** What the user is asked for; the dialog's title and the kinds of file it offers follow from it. */
export const PICK_KINDS = ['annotation-file', 'annotation-folder', 'image-file', 'image-folder', 'model-file', 'output-folder'] as const;
export type PickKind = (typeof PICK_KINDS)[number];

/** The system's own dialogs and its file manager, where the host has them (`AppInfo.canPickFolders`). Others throw `unsupported`. */
export const DESKTOP_CALLS = {
  /** Absolute path; null: the user thought better. */
  'desktop.pick': call(z.object({ kind: z.enum(PICK_KINDS) })).answers<string | null>(),
  /** Opens the file manager at a file or folder. Throws `not-found` where it is not there any more. */
  'desktop.show': call(z.object({ path: z.string().min(1) })).answers<null>(),
} as const;
