import { z } from 'zod';
import { call } from '../call.ts';
import type { Finding, FormatId } from '../formats.ts';
import { FINDING_KINDS, FORMAT_IDS } from '../formats.ts';
import { idSchema } from '../schemas.ts';
import type { FindingCount } from './formats.ts';

/** What a file or folder may be, before it is read. */
export interface ImportInspection {
  /** Absolute. */
  readonly place: string;
  /** Likeliest first; `confidence` 0..1, above 0. Empty where nothing is known of it. */
  readonly formats: readonly { readonly id: FormatId; readonly name: string; readonly confidence: number }[];
  /** Why no format fits, in words for the user; null where one does. */
  readonly problem: string | null;
}

/** A class of the dataset, and what it becomes in the project. */
export interface ImportCategory {
  /** As the dataset has it; names may repeat. */
  readonly name: string;
  /** The project's class, another name where two of the dataset's share one. */
  readonly label: string;
  /** The project has it already. */
  readonly known: boolean;
  readonly instances: number;
}

/** An image of the project that has instances and would get more. */
export interface ImportConflict {
  readonly imageId: number;
  readonly path: string;
  readonly existing: number;
  readonly incoming: number;
}

/** A split of the dataset, and what becomes of it where the project's images are divided already. */
export interface ImportSplit {
  readonly name: string;
  readonly images: number;
  /** That are in no split yet, and get this one, if they are not left for having instances. */
  readonly applied: number;
  /** That are in another split of the project, and stay there. */
  readonly kept: number;
}

/** How many conflicts a plan lists by itself; `conflicts` counts all of them. */
export const LISTED_CONFLICTS = 1000;

/** What a dataset would bring into the project. Nothing is in it yet. */
export interface ImportPlan {
  /** Of this reading; ends with commit, discard or the next reading. */
  readonly id: number;
  readonly format: FormatId;
  readonly place: string;
  readonly categories: readonly ImportCategory[];
  readonly images: {
    /** That the dataset names. */
    readonly total: number;
    readonly byPath: number;
    readonly byName: number;
    readonly byContent: number;
    /** That are not in the project's folder, or can be several. Their instances are refused. */
    readonly missing: number;
  };
  readonly instances: {
    /** That would be taken, if conflicts are not skipped. */
    readonly taken: number;
    readonly crowds: number;
    readonly refused: number;
  };
  readonly splits: readonly ImportSplit[];
  readonly conflicts: number;
  readonly conflictRows: readonly ImportConflict[];
  /** All findings by kind and reason, the most frequent first; `import.findings` has each. */
  readonly findingCounts: readonly FindingCount[];
  readonly ms: number;
}

/** Also written as JSON beside the project's file. */
export interface ImportReport {
  readonly importId: number;
  readonly format: FormatId;
  readonly place: string;
  /** Images that got instances, or the record of an image without any. */
  readonly images: number;
  readonly annotations: number;
  readonly categories: readonly ImportCategory[];
  /** Images that were left as they are, since they have instances. */
  readonly skippedImages: number;
  /** Instances that imported ones took the place of; undo brings them back. */
  readonly replacedAnnotations: number;
  /** Images that were put into a split of the dataset. */
  readonly splitImages: number;
  readonly onConflict: 'skip' | 'add' | 'replace';
  readonly matched: ImportPlan['images'];
  readonly findingCounts: readonly FindingCount[];
  /** The first thousand; the file has all. */
  readonly findings: readonly Finding[];
  /** Absolute path of the report's file. */
  readonly file: string;
  readonly ms: number;
}

/** An import of the project. */
export interface ImportListing {
  readonly importId: number;
  readonly format: FormatId;
  readonly place: string;
  readonly importedAtMs: number;
  /** What came in then. */
  readonly images: number;
  readonly annotations: number;
  /** Images of it that were not taken back. */
  readonly imagesLeft: number;
  /** When all of it was taken back; null while something of it is there. */
  readonly undoneAtMs: number | null;
}

/** An image that stays as it is although its import is taken back. */
export interface LeftImage {
  readonly imageId: number;
  readonly path: string;
  /** That the import brought to it. */
  readonly instances: number;
  /** What happened since: an edit, another state, or a later import that changed it, too. */
  readonly why: 'edited' | 'state' | 'imported-over';
}

/** What taking an import back did, or would do. */
export interface ImportUndoReport {
  readonly importId: number;
  readonly format: FormatId;
  readonly place: string;
  readonly importedAtMs: number;
  /** Nothing was changed: this is what would be. */
  readonly dryRun: boolean;
  /** Images that are as they were before. */
  readonly images: number;
  /** Instances that are gone, and those that the import had replaced and that are back. */
  readonly annotations: number;
  readonly restored: number;
  /** Images that are no longer in the split that the import gave them. */
  readonly splitImages: number;
  /** Classes that it had made and nothing uses any more; they go when all of the import does. */
  readonly classes: readonly string[];
  readonly leftImages: number;
  readonly leftAnnotations: number;
  /** The first thousand of those. */
  readonly left: readonly LeftImage[];
  /** Absolute path of the report's file; null of a dry run. */
  readonly file: string | null;
  readonly ms: number;
}

/** How far an import is: bytes or files read, images matched, instances written, images taken back. */
export interface ImportProgress {
  readonly stage: 'reading' | 'matching' | 'writing' | 'undoing';
  readonly done: number;
  readonly total: number;
}

const read = z.object({
  /** A file or a folder, absolute. */
  place: z.string().min(1),
  /** Null for what it looks like. */
  format: z.enum(FORMAT_IDS).nullable().default(null),
  /** Folder of the dataset's images where it is not the project's: a photograph of the same content is the same image. */
  images: z.string().min(1).nullable().default(null),
  /** Whether coordinates are of the image as EXIF turns it, of the file's own rows and columns, or as the dataset's sizes say. */
  pixels: z.enum(['auto', 'oriented', 'raw']).default('auto'),
  /** Of maps that do not tell instances apart: one for all pixels of a class, or one for each connected piece. */
  regions: z.enum(['class', 'components']).default('class'),
});
export type ImportReadOptions = z.infer<typeof read>;

const commit = z.object({
  id: idSchema,
  /** What becomes of images that have instances: left as they are, added to, or their instances taken away first. */
  onConflict: z.enum(['skip', 'add', 'replace']).default('skip'),
  /** Images that get instances are done. */
  asDone: z.boolean().default(false),
});
export type ImportCommitOptions = z.infer<typeof commit>;

const undo = z.object({
  /** Null: the newest that was not taken back. */
  importId: idSchema.nullable().default(null),
  /** Only says what would happen. */
  dryRun: z.boolean().default(false),
});
export type ImportUndoOptions = z.infer<typeof undo>;

const findings = z.object({
  id: idSchema,
  kind: z.enum(FINDING_KINDS).optional(),
  reason: z.string().max(100).optional(),
  /** Only findings with this in their id or their words, whatever its case. */
  search: z.string().max(200).optional(),
  offset: z.number().int().nonnegative(),
  limit: z.number().int().min(1).max(1000),
});
export type ImportFindingQuery = z.infer<typeof findings>;

/** Datasets into the open project: read, looked at, then taken or not. One at a time. */
export const IMPORT_CALLS = {
  'import.inspect': call(z.object({ place: z.string().min(1) })).answers<ImportInspection>(),
  /** Reads a dataset to a side; `import.progress` tells how far it is. An older reading is discarded. */
  'import.read': call(read).answers<ImportPlan>(),
  'import.findings': call(findings).answers<{ readonly total: number; readonly rows: readonly Finding[] }>(),
  /** Takes what was read into the project, all of it or nothing. */
  'import.commit': call(commit).answers<ImportReport>(),
  /** The project's imports, the newest first. */
  'import.list': call(z.object({})).answers<readonly ImportListing[]>(),
  /** Takes a whole import back, where nothing was changed since; the images where something was are named and stay. */
  'import.undo': call(undo).answers<ImportUndoReport>(),
  'import.discard': call(z.object({ id: idSchema })).answers<null>(),
  /** Stops the reading or writing that goes on, if one does: that call fails with `cancelled`. */
  'import.cancel': call(z.object({})).answers<null>(),
} as const;
