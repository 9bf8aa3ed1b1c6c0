import type { FormatInfo } from '../../shared/calls/formats.ts';
import { AppError } from '../../shared/errors.ts';
import type { FormatId } from '../../shared/formats.ts';
import { COCO } from './coco-in.ts';
import type { Format } from './dataset.ts';
import { ISAT } from './isat.ts';
import { LABELME } from './labelme.ts';
import { YOLO_BOX } from './yolo-box.ts';
import { YOLO_SEG } from './yolo-seg.ts';
import { VOC } from './voc.ts';
import { CVAT } from './cvat.ts';
import { CLASS_MASKS } from './class-masks.ts';
import { INSTANCE_MASKS } from './instance-masks.ts';

/** Every format that is read or written, in the order in which they are shown. A format is one file and one line here. */
export const FORMATS: readonly Format[] = [COCO, YOLO_SEG, YOLO_BOX, LABELME, ISAT, VOC, CVAT, CLASS_MASKS, INSTANCE_MASKS];

/** A format by its id, or null where there is none yet. */
export function formatOf(id: FormatId): Format | null {
  return FORMATS.find((format) => format.id === id) ?? null;
}

/** The same. Throws AppError `unsupported`, naming those there are. */
export function knownFormat(id: FormatId): Format {
  const format = formatOf(id);
  if (format) return format;
  throw new AppError('unsupported', `There is no format "${id}". There are: ${FORMATS.map((each) => each.id).join(', ')}.`, { format: id });
}

/** What a place may be, likeliest first; formats that it certainly is not are left out. */
export async function detectFormats(place: string): Promise<{ readonly id: FormatId; readonly confidence: number }[]> {
  const found = await Promise.all(FORMATS.map(async ({ id, reader }) => ({ id, confidence: await reader.detect(place) })));
  return found.filter(({ confidence }) => confidence > 0).sort((a, b) => b.confidence - a.confidence);
}

/** The formats as the user chooses them. COCO is written by `export.coco`, with options of its own. */
export function listFormats(): FormatInfo[] {
  return FORMATS.map(({ id, name, writer }) => ({
    id,
    name,
    reads: true,
    writes: writer !== null || id === 'coco',
    limits: writer?.limits ?? [],
    fidelity: id === 'coco' ? 1 : (writer?.fidelity ?? null),
  }));
}
