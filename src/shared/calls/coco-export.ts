import { z } from 'zod';
import type { ExportReport } from '../answers.ts';
import { call, none } from '../call.ts';
import { IMAGE_STATES } from '../records.ts';

const coco = z.object({
  /** Folder to write into; made where it is absent. */
  out: z.string().min(1),
  includeEmpty: z.boolean().default(true),
  /** `oriented`: as shown, by EXIF. `raw`: masks are turned back to the file's own orientation. */
  pixelSpace: z.enum(['oriented', 'raw']).default('oriented'),
  /** Only images in these states; empty for all. */
  states: z.array(z.enum(IMAGE_STATES)).default([]),
  /**
   * `imported`: what was imported and not touched as it was, the rest by our rules. `polygons`: polygons wherever COCO's can
   * hold the instance (no holes, no crowd). `rle`: compressed RLE everywhere.
   */
  segmentation: z.enum(['imported', 'polygons', 'rle']).default('imported'),
  /** Most that a vertex of a polygon may lie beside the written outline when it is left out, pixels; 0 keeps all of them. */
  simplifyPx: z.number().min(0).max(100).default(0),
  /** `one`: `annotations.json`. `each`: a file for each split in `annotations/`, and one for the images in none. */
  split: z.enum(['one', 'each']).default('one'),
  /** Where the image files go: nowhere, or below `images/` in the export. `link`: hard links, a copy where the disk cannot. */
  images: z.enum(['leave', 'copy', 'link']).default('leave'),
});
export type CocoExportOptions = z.infer<typeof coco>;
/** What may be left out has its default. */
export type CocoExportInput = z.input<typeof coco>;

export function cocoExportOptions(input: CocoExportInput): CocoExportOptions {
  return coco.parse(input);
}

export const COCO_EXPORT_CALLS = {
  'export.coco': call(coco).answers<ExportReport>(),
  /** Stops the export that is running, if one is: that call then fails with `cancelled`, and nothing was written. */
  'export.cancel': call(none).answers<null>(),
} as const;
