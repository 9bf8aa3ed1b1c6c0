import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedHas, sharedPath } from '../../../test/shared-data.ts';
import { maskIou, rleArea, rleBox } from '../../shared/mask/rle.ts';
import { convert } from '../convert.ts';
import type { FormatId } from './dataset.ts';
import { collect } from './dataset.test-support.ts';
import { readPlace } from './interop.test-support.ts';
import { detectFormats, knownFormat } from './registry.ts';

const DATUMARO = 'data/interop/datumaro-assets';
const TINY = 'data/interop/isat-coco-tiny';
const LABELME = 'data/interop/labelme-examples';

const reasons = (findings: readonly { kind: string; reason: string }[]): string[] =>
  findings.map(({ kind, reason }) => `${kind} ${reason}`);

describe.skipIf(!sharedHas(LABELME))('what LabelMe itself made of its examples', () => {
  it('reads its object and class maps as the instances of its JSON files', async () => {
    const folder = sharedPath(`${LABELME}/instance_segmentation`);
    const voc = await readPlace('voc', `${folder}/data_dataset_voc`, `${folder}/data_dataset_voc`);
    const json = await readPlace('labelme', `${folder}/data_annotated`, `${folder}/data_annotated`);
    expect(voc.read).toHaveLength(12);
    const left = [...json.read.filter(({ name }) => !name.startsWith('__'))];
    const ious = voc.read.map((mine) => {
      const alike = left.filter((each) => basename(each.image) === basename(mine.image) && each.name === mine.name);
      const [best] = alike.map((each) => ({ each, iou: maskIou(each.rle, mine.rle) })).sort((a, b) => b.iou - a.iou);
      if (best) left.splice(left.indexOf(best.each), 1);
      return best?.iou ?? 0;
    });
    // LabelMe draws outlines onto the mask, COCO fills: half a pixel around each instance.
    expect(Math.min(...ious)).toBeGreaterThan(0.9);
    expect(ious.reduce((sum, iou) => sum + iou, 0) / ious.length).toBeGreaterThan(0.97);
  });

  it('reads class maps as the union of the instances of each class', async () => {
    const classes = sharedPath(`${LABELME}/semantic_segmentation/data_dataset_voc`);
    const found = await readPlace('voc', classes, classes);
    expect(found.read.map(({ image, name }) => `${basename(image)} ${name}`)).toContain('2011_000006.jpg sofa');
    expect(reasons(found.findings)).toContain('kept regions-not-instances');
  });

  it('reads boxes with their fractions, from 0', async () => {
    const boxes = sharedPath(`${LABELME}/bbox_detection/data_dataset_voc`);
    const { instances, categories, findings } = await readPlace('voc', boxes, boxes);
    expect(instances).toHaveLength(9);
    expect(categories.map(({ name }) => name)).toContain('person');
    expect(instances[3]?.geometry).toEqual({ kind: 'box', box: [178, 110, 120, 172] });
    expect(reasons(findings)).toEqual(['kept boxes-from-zero']);
  });
});

describe.skipIf(!sharedHas(DATUMARO))('files that Datumaro reads', () => {
  const at = (path: string): string => sharedPath(`${DATUMARO}/${path}`);

  it.each<[string, FormatId]>([
    ['voc_dataset/voc_dataset1', 'voc'],
    ['voc_dataset/voc_dataset2', 'voc'],
    ['roboflow_dataset/voc', 'voc'],
    ['cvat_dataset/for_images/export_project', 'cvat'],
    ['cvat_dataset/for_images/export_task/train.xml', 'cvat'],
    ['cvat_dataset/for_video', 'cvat'],
    ['camvid_dataset', 'class-masks'],
    ['common_semantic_segmentation_dataset/dataset', 'class-masks'],
    ['common_semantic_segmentation_dataset/non_standard_dataset', 'class-masks'],
    ['coco_dataset/coco_panoptic', 'instance-masks'],
    ['mots_dataset', 'instance-masks'],
    ['cityscapes_dataset/dataset', 'instance-masks'],
  ])('knows %s as %s', async (path, id) => {
    expect((await detectFormats(at(path)))[0]?.id).toBe(id);
  });

  it('VOC: splits, objects with what they say, a part kept, a map that fits no object', async () => {
    const place = at('voc_dataset/voc_dataset1');
    const { images, instances, findings, read } = await readPlace('voc', place, place);
    expect(images.map(({ path, split }) => [path, split])).toEqual([
      ['JPEGImages/2007_000001.jpg', 'train'],
      ['JPEGImages/2007_000002.jpg', 'test'],
    ]);
    expect(read.map(({ name }) => name)).toEqual(['cat', 'person', 'bicycle']);
    // The folder says VOC2007: pixels from 1, the last one included.
    expect(instances[0]?.geometry).toEqual({ kind: 'box', box: [0, 1, 3, 3] });
    expect(JSON.parse(instances[1]?.source ?? '{}')).toMatchObject({ part: { name: 'head' }, actions: { jumping: '0' } });
    expect(reasons(findings)).toEqual(['kept boxes-from-one']);
  });

  it('VOC: classes and colours of a label map', async () => {
    const place = at('voc_dataset/voc_dataset2');
    const sink = collect();
    await knownFormat('voc').reader.read(place, sink, { images: place, sizeOf: () => Promise.resolve(null) });
    const { categories, instances } = sink;
    expect(categories.slice(0, 2).map(({ name, color }) => [name, color])).toEqual([
      ['aeroplane', '#800000'],
      ['bicycle', '#008000'],
    ]);
    const names = new Map(categories.map(({ key, name }) => [key, name]));
    expect(instances.map(({ categoryKey }) => names.get(categoryKey))).toEqual(['background', 'aeroplane', 'bicycle', 'bird']);
  });

  it('CVAT: projects with images of one name, attributes, and shapes that are no areas', async () => {
    const place = at('cvat_dataset/for_images/export_project');
    const { images, instances, findings } = await readPlace('cvat', place, place);
    expect(images.map(({ path, split }) => [path, split])).toEqual(
      ['Test', 'Train', 'Validation'].flatMap((folder, i) =>
        ['img0.jpg', 'img1.jpg'].map((name) => [`images/${folder}/${name}`, ['test', 'train', 'val'][i]]),
      ),
    );
    expect(instances.map(({ geometry }) => geometry.kind)).toEqual(['box', 'polygon', 'box', 'polygon', 'box', 'polygon']);
    expect(instances[0]?.source).toContain('"@name":"a4","#":"2.4"');
    expect(reasons(findings)).toEqual(Array(6).fill('kept not-an-area'));
    expect(images[0]?.source).toContain('1.0,2;3,4;5,6;7,8');
  });

  it('CVAT: tracks frame by frame, without what is out of sight', async () => {
    const place = at('cvat_dataset/for_video');
    const { images, instances, findings } = await readPlace('cvat', place, place);
    expect(instances.map(({ geometry }) => geometry)).toEqual([{ kind: 'box', box: [3, 4, 7, 1] }]);
    expect(images[0]).toMatchObject({ path: 'images/frame_000010.png', width: 25, height: 20 });
    expect(reasons(findings)).toEqual(['refused not-an-area', 'refused not-an-area', 'kept tracks-per-frame']);
  });

  it('class masks: colours by their list, images of another prefix, splits of CamVid', async () => {
    const odd = await readPlace('class-masks', ...twice(at('common_semantic_segmentation_dataset/non_standard_dataset')));
    expect(odd.images.map(({ path }) => path)).toEqual(['images/image_0001.png', 'images/image_0002.png']);
    expect(odd.categories.map(({ name }) => name)).toEqual(['Animal', 'Archway', 'Bicyclist', 'Child', 'Road', 'Pedestrian', 'SignSymbol']);
    expect(odd.read.length).toBeGreaterThan(2);
    expect(odd.read.every(({ name }) => odd.categories.some((each) => each.name === name))).toBe(true);
    const camvid = await readPlace('class-masks', ...twice(at('camvid_dataset')));
    expect(camvid.images.map(({ path, split }) => [path, split])).toEqual([
      ['test/0001TP_008550.png', 'test'],
      ['test/0001TP_008580.png', 'test'],
      ['train/0001TP_006690.png', 'train'],
      ['val/0016E5_07959.png', 'val'],
    ]);
    expect(reasons(camvid.findings)).toEqual(['kept regions-not-instances', 'kept class-without-name']);
  });

  it('panoptic: segments by colour, areas that are wrong, a map of another size than its image', async () => {
    const { images, instances, findings, read } = await readPlace('instance-masks', ...twice(at('coco_dataset/coco_panoptic')));
    expect(images.map(({ path, split }) => [path, split])).toEqual([
      ['images/train/a.jpg', 'train'],
      ['images/val/b.jpg', 'val'],
    ]);
    expect(read.map(({ name, crowd }) => [name, crowd])).toContainEqual(['b', true]);
    expect(instances.every(({ geometry }) => geometry.kind === 'mask' && rleArea(geometry.rle) > 0)).toBe(true);
    // The map of a.jpg is 5 × 5, the image 10 × 5 by its file and by itself.
    expect(reasons(findings)).toEqual(['refused size-differs']);
  });

  it('MOTS: the class is in the number', async () => {
    const { read, images } = await readPlace('instance-masks', ...twice(at('mots_dataset')));
    expect(images.map(({ path, split }) => [path, split])).toEqual([
      ['train/images/1.jpg', 'train'],
      ['train/images/2.jpg', 'train'],
      ['val/images/3.jpg', 'val'],
    ]);
    expect(new Set(read.map(({ name }) => name)).size).toBeGreaterThan(1);
    expect(read.every(({ rle }) => rleBox(rle)[2] > 0)).toBe(true);
  });
});

describe.skipIf(![DATUMARO, LABELME, TINY].every(sharedHas))('through the same format and back', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'maskloop-maps-interop-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each<[string, FormatId]>([
    [`${DATUMARO}/voc_dataset/voc_dataset1`, 'voc'],
    [`${DATUMARO}/roboflow_dataset/voc`, 'voc'],
    [`${LABELME}/instance_segmentation/data_dataset_voc`, 'voc'],
    [`${LABELME}/bbox_detection/data_dataset_voc`, 'voc'],
    [`${DATUMARO}/cvat_dataset/for_images/export_project`, 'cvat'],
    [`${DATUMARO}/cvat_dataset/for_images/export_task`, 'cvat'],
    [`${DATUMARO}/cvat_dataset/for_video`, 'cvat'],
    [`${DATUMARO}/camvid_dataset`, 'class-masks'],
    [`${DATUMARO}/common_semantic_segmentation_dataset/dataset`, 'class-masks'],
    [`${DATUMARO}/coco_dataset/coco_panoptic`, 'instance-masks'],
    [`${DATUMARO}/mots_dataset`, 'instance-masks'],
  ])('%s is the same', async (path, id) => {
    const place = sharedPath(path);
    const out = join(folder, path.replaceAll('/', '-'));
    await convert({ place, out, from: id, to: id, images: place, put: 'copy', includeEmpty: true });
    const before = await readPlace(id, place, place);
    const after = await readPlace(id, out, out);
    const told = ({ read, instances }: typeof before): string[] =>
      read
        .map(({ image, name, crowd, rle }, i) => `${basename(image)} ${name} ${crowd} ${rle.counts} ${ownFields(instances[i]?.source)}`)
        .sort();
    expect(told(after)).toEqual(told(before));
    const known = (images: typeof before.images): string[] =>
      images
        .filter(({ width }) => width !== null)
        .map(({ path: image, split }) => `${basename(image)} ${split}`)
        .sort();
    expect(known(after.images)).toEqual(known(before.images));
  });

  it.each<[FormatId, number]>([
    ['voc', 20],
    ['instance-masks', 20],
    ['class-masks', 13],
  ])('%s names every instance of COCO that others lie on', async (to, covered) => {
    const tiny = sharedPath(TINY);
    const out = join(folder, `tiny-${to}`);
    const report = await convert({
      place: `${tiny}/coco_tiny.json`,
      out,
      from: 'coco',
      to,
      images: `${tiny}/images`,
      put: 'copy',
      includeEmpty: true,
    });
    const written = 'readBack' in report.written ? report.written : null;
    expect(written?.findingCounts.find(({ reason }) => reason === 'covered')?.count).toBe(covered);
    expect(written?.readBack.imagesCompared).toBe(5);
  });
});

/** What a record says beyond class and shape, without what a writer fills in where nobody said it. */
function ownFields(source: string | null | undefined): string {
  const filled = ['pose', 'truncated', 'difficult', '@source', '@occluded', '@z_order', '@frame', '@outside', '@keyframe', 'track'];
  const record = JSON.parse(source ?? '{}') as Record<string, unknown>;
  return JSON.stringify(Object.fromEntries(Object.entries(record).filter(([key]) => !filled.includes(key))));
}

function twice(path: string): [string, string] {
  return [path, path];
}
