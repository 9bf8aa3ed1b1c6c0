import { z } from 'zod';
import { call, none } from '../call.ts';
import type { Finding, FindingKind, FormatId } from '../formats.ts';
import { FORMAT_IDS } from '../formats.ts';
import { IMAGE_STATES } from '../records.ts';

/** A dataset format as the user chooses it. */
export interface FormatInfo {
  readonly id: FormatId;
  readonly name: string;
  readonly reads: boolean;
  readonly writes: boolean;
  /** What a file of this format cannot hold, whatever the project has. */
  readonly limits: readonly string[];
  /** Least IoU of an instance that is written and read back; null where instances cannot be told apart after it. */
  readonly fidelity: number | null;
}

/** What the written files hold when they are read again, compared with what was to be written. */
export interface ReadBack {
  readonly imagesCompared: number;
  readonly annotationsCompared: number;
  /** Least and mean IoU of the instances that are in both, 1 where there is none; null where the format has no instances. */
  readonly minIou: number | null;
  readonly meanIou: number | null;
  /** Instances that were told to be lost before, and are not in the files. */
  readonly lost: number;
}

/** How many findings a report lists by itself; the numbers count all of them. */
export const LISTED_FINDINGS = 1000;

export interface FindingCount {
  readonly kind: FindingKind;
  readonly reason: string;
  readonly count: number;
}

/** What an export to a format other than COCO wrote. */
export interface DatasetExportReport {
  readonly format: FormatId;
  /** The folder that was written, absolute. */
  readonly out: string;
  /** Relative to `out`, with `/`; the first thousand. */
  readonly files: readonly string[];
  readonly fileCount: number;
  readonly images: number;
  readonly annotations: number;
  readonly categories: readonly { readonly name: string; readonly annotations: number }[];
  readonly limits: readonly string[];
  /** By kind and reason, all of them. */
  readonly findingCounts: readonly FindingCount[];
  /** The first `LISTED_FINDINGS`. */
  readonly findings: readonly Finding[];
  readonly readBack: ReadBack;
  readonly ms: number;
}

const dataset = z.object({
  format: z.enum(FORMAT_IDS),
  /** Folder to write; it must be absent, empty, or an export that Maskloop wrote there before. */
  out: z.string().min(1),
  includeEmpty: z.boolean().default(true),
  /** Only images in these states; empty for all. */
  states: z.array(z.enum(IMAGE_STATES)).default([]),
  /** Where the images go: not at all, copied, or hard-linked (a copy where the disk cannot). */
  images: z.enum(['leave', 'copy', 'link']).default('copy'),
});
export type DatasetExportOptions = z.infer<typeof dataset>;

/** Formats other than COCO. */
export const FORMAT_CALLS = {
  'formats.list': call(none).answers<readonly FormatInfo[]>(),
  /**
   * Writes the project in any format but COCO (`export.coco`), reads it back and compares. One export at a time;
   * `export.cancel` stops it and `export.progress` tells how far it is.
   */
  'export.dataset': call(dataset).answers<DatasetExportReport>(),
} as const;
