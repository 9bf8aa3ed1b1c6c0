import { join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import type { Box } from '../../shared/records.ts';
import type { DatasetSink } from './dataset.ts';
import type { KeptRecord } from './kept-records.ts';
import { keptChildren } from './kept-records.ts';
import type { XmlElement } from './xml-elements.ts';
import { childOf, numberOf, readXml, span, textOf } from './xml-elements.ts';

/** The XML files of Pascal VOC: an image and its objects each. */

export interface VocObject {
  readonly place: number;
  readonly name: string | null;
  readonly box: Box | null;
  readonly crowd: boolean;
  readonly kept: KeptRecord;
}

/** What an XML file says of its image. */
export interface VocImage {
  readonly filename: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly objects: readonly VocObject[];
  readonly kept: KeptRecord;
}

/** Says something of the whole dataset only once. */
export type Once = (reason: string, message: string) => void;

/** Null, and a finding, where the file cannot be understood. */
export async function readVocXml(
  root: string,
  file: string,
  sink: DatasetSink,
  once: Once,
  signal?: AbortSignal,
): Promise<VocImage | null> {
  let rootName = '';
  const children: XmlElement[] = [];
  try {
    await readXml(join(root, file), {
      root: (name) => void (rootName = name),
      child: (element) => void children.push(element),
      ...(signal ? { signal } : {}),
    });
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    sink.finding({ kind: 'refused', what: 'file', id: file, reason: 'file-unreadable', message: thrown.message });
    return null;
  }
  if (rootName !== 'annotation') {
    const message = `${file} begins with <${rootName}>; VOC's files begin with <annotation>.`;
    sink.finding({ kind: 'refused', what: 'file', id: file, reason: 'not-this-format', message });
    return null;
  }
  const top: XmlElement = { name: rootName, attributes: {}, children, text: '' };
  const size = childOf(top, 'size');
  const side = (name: string): number | null => {
    const value = size ? numberOf(textOf(size, name)) : null;
    return value !== null && Number.isInteger(value) && value > 0 ? value : null;
  };
  const boxes = children.filter((each) => each.name === 'object').map((each) => childOf(each, 'bndbox'));
  const below = boxes.some((box) => box && ['xmin', 'ymin'].some((name) => (numberOf(textOf(box, name)) ?? 1) < 1));
  const said = countingOf(top);
  const fromOne = said === 'certainly' || (said === 'challenge' && !below);
  if (fromOne) once('boxes-from-one', 'Boxes count pixels from 1 and include their last one, as the VOC development kit does.');
  else once('boxes-from-zero', 'Boxes are taken as coordinates from 0: no file says that it follows the VOC challenge.');
  const objects = children
    .filter((each) => each.name === 'object')
    .map((each, i): VocObject => {
      const box = boxOf(childOf(each, 'bndbox'), fromOne, `${file} object ${i + 1}`, sink);
      const kept = keptChildren(each.children.filter(({ name }) => !['name', 'bndbox', 'crowd'].includes(name)));
      return { place: i + 1, name: textOf(each, 'name'), box, crowd: textOf(each, 'crowd') === '1', kept };
    });
  const kept = keptChildren(children.filter(({ name }) => !['object', 'filename', 'size', 'segmented'].includes(name)));
  const depth = size ? textOf(size, 'depth') : null;
  return {
    filename: textOf(top, 'filename'),
    width: side('width'),
    height: side('height'),
    objects,
    kept: depth === null ? kept : { ...kept, depth },
  };
}

/** What our own files say under `source`. */
export const BOXES_FROM_ONE = 'PASCAL VOC, boxes from 1';

/** Whether a file says of itself that it follows the challenge; most other tools write coordinates from 0. */
function countingOf(top: XmlElement): 'certainly' | 'challenge' | 'unknown' {
  const source = childOf(top, 'source');
  const annotation = source ? textOf(source, 'annotation') : null;
  if (annotation === BOXES_FROM_ONE) return 'certainly';
  const said = [textOf(top, 'folder'), annotation, source ? textOf(source, 'database') : null];
  return said.some((text) => text !== null && /^VOC20\d\d|PASCAL VOC|^The VOC/i.test(text)) ? 'challenge' : 'unknown';
}

function boxOf(element: XmlElement | undefined, fromOne: boolean, id: string, sink: DatasetSink): Box | null {
  if (!element) return null;
  const [xmin, ymin, xmax, ymax] = ['xmin', 'ymin', 'xmax', 'ymax'].map((name) => numberOf(textOf(element, name)));
  if (xmin == null || ymin == null || xmax == null || ymax == null) return null;
  // A box that includes its last pixel and is thinner than one has its corners the other way round.
  const shift = fromOne ? 1 : 0;
  const [left, right] = xmin <= xmax + shift ? [xmin, xmax] : [xmax, xmin];
  const [top, bottom] = ymin <= ymax + shift ? [ymin, ymax] : [ymax, ymin];
  if (left !== xmin || top !== ymin) {
    const message = `A box goes from (${xmin}, ${ymin}) to (${xmax}, ${ymax}); its corners were exchanged.`;
    sink.finding({ kind: 'repaired', what: 'annotation', id, reason: 'box-reversed', message });
  }
  const box: Box = [span(shift, left), span(shift, top), span(left, right + shift), span(top, bottom + shift)];
  return box[2] > 0 && box[3] > 0 ? box : null;
}
