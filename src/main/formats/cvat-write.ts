import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '../../shared/formats.ts';
import type { Geometry, ImageRecord, Label } from '../../shared/records.ts';
import { AREA_SHAPES, readShape, shapeOf } from './cvat-shapes.ts';
import type { DatasetSource, DatasetWriter } from './dataset.ts';
import { createFileWriter } from './file-writer.ts';
import { placeImage } from './folder.ts';
import { writtenNames } from './image-places.ts';
import type { KeptReader, KeptRecord, KeptValue } from './kept-records.ts';
import { elementsOf, isKeptRecord, keptReader } from './kept-records.ts';
import { inPaintOrder, isWritten, labelOf, pause, tellSameNames } from './map-instances.ts';
import type { NumberedAnnotation } from './source.ts';
import type { XmlElement } from './xml-elements.ts';
import { branch, leaf, xmlText } from './xml-elements.ts';

/** How COCO's flag is said: the attribute that CVAT itself makes of it. */
const CROWD = 'is_crowd';

export const CVAT_LIMITS = [
  'A polygon is one ring: instances with holes or several parts are written as masks, pixel by pixel the same.',
  'Crowds are written as the attribute is_crowd.',
];

/** Writes `annotations.xml`, and `images` where asked for. The images are streamed: memory goes with one of them. */
export const writeCvat: DatasetWriter['write'] = async (source, folder, options, tell) => {
  tellSameNames(source.labels, tell);
  const path = join(folder, 'annotations.xml');
  const partPath = path + '.images';
  const kept = keptReader(source, 'cvat', 'CVAT XML');
  const names = writtenNames(source, 'images/');
  const labels = new Map(source.labels.map((label) => [label.id, label]));
  const main = await createFileWriter(path);
  const part = await createFileWriter(partPath);
  const tracked = { shapes: 0 };
  try {
    let [done, written, crowds] = [0, 0, 0];
    for (const image of source.images()) {
      await pause(options.signal);
      options.onProgress?.(++done, source.imageCount);
      const name = names.get(image.id)?.path;
      if (name === undefined || !isWritten(source, image, options, tell)) continue;
      const shapes = inPaintOrder(source, image.id).flatMap((item, z) =>
        shapeElement(labels, image, item, z, kept, tracked, tell, options.onInstance),
      );
      crowds += shapes.filter((each) => each.children.some((attribute) => attribute.attributes['name'] === CROWD)).length;
      await part.write(xmlText(imageElement(source, image, name, written++, shapes, kept.of('image', image.id)), 2));
      const put = await placeImage(source, image, options.images, join(folder, 'images', name));
      options.onImage?.(image.id, put ? `images/${name}` : name);
    }
    await part.finish();
    await main.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n');
    await main.write(xmlText(metaElement(source, written, crowds > 0, kept), 2));
    await main.append(partPath);
    await main.write('</annotations>\n');
    await main.finish();
  } finally {
    await main.abandon();
    await part.abandon();
    await rm(partPath, { force: true });
  }
  if (tracked.shapes > 0) {
    const message = `${tracked.shapes} shapes came from tracks of a video; they are written as shapes of images, not as tracks.`;
    tell({ kind: 'lost', what: 'file', id: 'annotations.xml', reason: 'tracks', message });
  }
  kept.tell(tell);
};

function shapeElement(
  labels: ReadonlyMap<number, Label>,
  image: ImageRecord,
  { number, annotation }: NumberedAnnotation,
  z: number,
  keptRecords: KeptReader,
  tracked: { shapes: number },
  tell: (finding: Finding) => void,
  onInstance?: (number: number, how: 'left-out' | 'changed') => void,
): XmlElement[] {
  const lost = (reason: string, message: string): void =>
    tell({ kind: 'lost', what: 'annotation', id: String(number), reason, message: `${image.path}: annotation ${number}: ${message}` });
  const { geometry } = annotation;
  const kept = keptRecords.of('annotation', number);
  if (kept['track'] !== undefined) tracked.shapes++;
  const shape = keptShape(kept, geometry) ?? shapeOf(geometry, image);
  if (shape === null) {
    lost('no-pixel', 'it covers no pixel.');
    onInstance?.(number, 'left-out');
    return [];
  }
  if (geometry.kind === 'polygon' && shape.name === 'mask')
    lost('vertices', 'its rings are written as a mask; the pixels stay, the vertices do not.');
  const said = elementsOf(shape.name, withoutOwn(kept))[0];
  const label = labelOf(labels, annotation).name;
  const attributes = { label, source: 'manual', occluded: '0', ...said?.attributes, ...shape.attributes, z_order: String(z) };
  const crowd = annotation.crowd ? [attributeOf(CROWD, 'true')] : [];
  return [{ name: shape.name, attributes, children: [...(said?.children ?? []), ...crowd], text: '' }];
}

/** The ellipse or turned box that the polygon was read from, if it is still that polygon. */
function keptShape(kept: KeptRecord, geometry: Geometry): Pick<XmlElement, 'name' | 'attributes'> | null {
  for (const name of ['ellipse', 'box']) {
    const place = kept[name];
    if (!isKeptRecord(place)) continue;
    const attributes = Object.fromEntries(Object.entries(place).map(([key, value]) => [key, typeof value === 'string' ? value : '']));
    const read = readShape(name, attributes, null);
    if (read.geometry !== null && JSON.stringify(read.geometry) === JSON.stringify(geometry)) return { name, attributes };
  }
  return null;
}

/** What was kept but for what is written anew, or belongs to a video's track. */
function withoutOwn(kept: KeptRecord): KeptRecord {
  const own = new Set(['ellipse', 'box', 'track', '@frame', '@outside', '@keyframe', '@z_order']);
  return Object.fromEntries(Object.entries(kept).filter(([key]) => !own.has(key)));
}

function attributeOf(name: string, text: string): XmlElement {
  return { name: 'attribute', attributes: { name }, children: [], text };
}

function imageElement(
  source: DatasetSource,
  image: ImageRecord,
  name: string,
  place: number,
  shapes: XmlElement[],
  kept: KeptRecord,
): XmlElement {
  const split = source.split(image.id);
  const { shapes: others, ...said } = kept;
  const keptAttributes = elementsOf('image', said)[0]?.attributes ?? {};
  const attributes = {
    ...keptAttributes,
    id: String(place),
    name,
    ...(split === null ? {} : { subset: split }),
    width: String(image.width),
    height: String(image.height),
  };
  const noAreas = isKeptRecord(others)
    ? Object.entries(others).flatMap(([tag, value]) => (AREA_SHAPES.has(tag) ? [] : elementsOf(tag, value)))
    : [];
  return branch('image', [...shapes, ...noAreas], attributes);
}

/** The list of labels, and what an imported file said of its task. */
function metaElement(source: DatasetSource, images: number, crowds: boolean, kept: KeptReader): XmlElement {
  const record = importedMeta(source);
  const labels = source.labels.map((label) => {
    const { attributes, ...more } = kept.of('category', label.id);
    const declared = elementsOf('attributes', attributes ?? '')[0];
    const crowd = branch('attribute', [
      leaf('name', CROWD),
      leaf('mutable', 'False'),
      leaf('input_type', 'checkbox'),
      leaf('default_value', 'false'),
      leaf('values', 'false'),
    ]);
    const children = [...(declared?.children ?? []), ...(crowds ? [crowd] : [])];
    const others = Object.entries(more).flatMap(([name, value]) => elementsOf(name, value));
    return branch('label', [leaf('name', label.name), leaf('color', label.color.toLowerCase()), ...others, branch('attributes', children)]);
  });
  const list = branch('labels', [...labels, ...skeletonParts(record)]);
  const [kind, task] = Object.entries(record).find((each): each is [string, KeptRecord] => isKeptRecord(each[1])) ?? ['task', {}];
  const said = Object.entries(task).filter(([name]) => !['labels', 'size', 'mode', 'name', 'original_size'].includes(name));
  const name = typeof task['name'] === 'string' ? task['name'] : source.projectName;
  const rest = Object.entries(record).filter(([key]) => key !== kind);
  return branch('meta', [
    branch(kind, [
      leaf('name', name),
      leaf('size', images),
      leaf('mode', 'annotation'),
      ...said.flatMap(([key, value]) => elementsOf(key, value)),
      list,
    ]),
    ...rest.flatMap(([key, value]) => elementsOf(key, value)),
  ]);
}

function importedMeta(source: DatasetSource): KeptRecord {
  const text = source.rest().find(({ key }) => key === 'meta')?.text;
  if (text === undefined) return {};
  try {
    const value = JSON.parse(text) as KeptValue;
    // Another format may have a key of this name.
    return isKeptRecord(value) && ['task', 'project', 'job'].some((key) => isKeptRecord(value[key])) ? value : {};
  } catch {
    return {};
  }
}

/** Labels of the points of skeletons, which are no classes here. */
function skeletonParts(meta: KeptRecord): XmlElement[] {
  for (const part of Object.values(meta)) {
    const labels = isKeptRecord(part) ? part['labels'] : undefined;
    if (!isKeptRecord(labels) || labels['label'] === undefined) continue;
    return elementsOf('label', labels['label']).filter((each) => each.children.some(({ name }) => name === 'parent'));
  }
  return [];
}
