import { readdirSync, readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedHas, sharedPath } from '../../../test/shared-data.ts';
import { geometryToRle } from '../../shared/mask/raster.ts';
import { maskIou } from '../../shared/mask/rle.ts';
import type { Geometry } from '../../shared/records.ts';
import type { FormatId } from './dataset.ts';
import type { Pair, ReadInstance } from './interop.test-support.ts';
import { figures, pairs, readPlace } from './interop.test-support.ts';

/**
 * Photographs that exist in several formats: which files are one annotation written twice, and which were drawn anew. What is
 * the same must have the same pixels; what is not must at least be read to the digit.
 */

const TINY = 'data/interop/isat-coco-tiny';

const three = (value: number): number => Math.round(value * 1000) / 1000;

function rounded(found: readonly Pair[]): readonly [pairs: number, least: number, median: number, mean: number] {
  const { count, least, median, mean } = figures(found);
  return [count, three(least), three(median), three(mean)];
}

function points(geometry: Geometry): (readonly [x: number, y: number])[] {
  if (geometry.kind !== 'polygon') return [];
  return geometry.parts.flatMap(({ outer, holes }) =>
    [outer, ...holes].flatMap((ring) => ring.flatMap((x, i) => (i % 2 === 0 ? [[x, ring[i + 1] ?? NaN] as const] : []))),
  );
}

/** Every vertex, as `photograph x y`. */
function vertices(read: readonly ReadInstance[]): Set<string> {
  return new Set(read.flatMap(({ image, geometry }) => points(geometry).map(([x, y]) => `${basename(image, extname(image))} ${x} ${y}`)));
}

/** From each vertex of one to the nearest of the other, along x or y, pixels. */
function distances(from: Geometry, to: Geometry): number[] {
  const there = points(to);
  return points(from).map(([x, y]) => Math.min(...there.map(([u, v]) => Math.max(Math.abs(u - x), Math.abs(v - y)))));
}

function moved(geometry: Geometry, dx: number, dy: number): Geometry {
  if (geometry.kind !== 'polygon') throw new Error(`a ${geometry.kind} was not expected`);
  const shift = (ring: readonly number[]): number[] => ring.map((value, i) => value + (i % 2 === 0 ? dx : dy));
  return { kind: 'polygon', parts: geometry.parts.map(({ outer, holes }) => ({ outer: shift(outer), holes: holes.map(shift) })) };
}

describe.skipIf(!sharedHas(TINY))('five photographs that exist as COCO, YOLO, LabelMe and ISAT', () => {
  const images = sharedPath(`${TINY}/images`);
  const read = async (format: FormatId, place: string): Promise<readonly ReadInstance[]> =>
    (await readPlace(format, sharedPath(`${TINY}/${place}`), images)).read;
  const coco = (): Promise<readonly ReadInstance[]> => read('coco', 'coco_tiny.json');
  const labelme = (): Promise<readonly ReadInstance[]> => read('labelme', 'labelme');
  const isat = (): Promise<readonly ReadInstance[]> => read('isat', 'isat');
  /** The files have no names: class n is the nth of COCO's 80. */
  const yolo = async (): Promise<readonly ReadInstance[]> => {
    const { categories } = await readPlace('coco', sharedPath(`${TINY}/coco_tiny.json`), images);
    const named = (name: string): string => categories[Number(name.slice('class '.length))]?.name ?? name;
    return (await read('yolo-seg', 'yolo')).map((instance) => ({ ...instance, name: named(instance.name) }));
  };

  it('YOLO is COCO: every line has the class and pixels of the instance that it was converted from', async () => {
    const [a, b] = await Promise.all([coco(), yolo()]);
    const instances = a.filter(({ crowd }) => !crowd);
    const found = pairs(instances, b);
    expect([instances.length, b.length, found.length]).toEqual([61, 61, 61]);
    // Fractions of six digits are up to half a millionth of the image beside the vertex.
    for (const { a: mine, b: other } of found) expect(Math.max(...distances(other.geometry, mine.geometry))).toBeLessThan(0.50001e-6 * 640);
    // That flips three pixels of an umbrella of 100.
    expect(figures(found).least).toBeGreaterThanOrEqual(0.97);
    expect(found.filter(({ iou }) => iou > 0.99)).toHaveLength(57);
  });

  it('LabelMe and ISAT are read to the digit: not a vertex is moved, missing or made up', async () => {
    const said = (folder: string, points: (json: unknown) => [number, number][]): Set<string> => {
      const all = new Set<string>();
      for (const file of readdirSync(sharedPath(`${TINY}/${folder}`)).filter((name) => name.endsWith('.json'))) {
        const json: unknown = JSON.parse(readFileSync(sharedPath(`${TINY}/${folder}/${file}`), 'utf8'));
        for (const [x, y] of points(json)) all.add(`${basename(file, '.json')} ${x} ${y}`);
      }
      return all;
    };
    const shapes = (json: unknown): [number, number][] =>
      (json as { shapes: { points: [number, number][] }[] }).shapes.flatMap(({ points }) => points);
    const objects = (json: unknown): [number, number][] =>
      (json as { objects: { segmentation: [number, number][] }[] }).objects.flatMap(({ segmentation }) => segmentation);
    expect(vertices(await labelme())).toEqual(said('labelme', shapes));
    expect(vertices(await isat())).toEqual(said('isat', objects));
  });

  it('LabelMe and ISAT were drawn anew: they share no outline with COCO or each other, and no pair is the same', async () => {
    const [a, b, c] = await Promise.all([coco(), labelme(), isat()]);
    const common = (x: readonly ReadInstance[], y: readonly ReadInstance[]): number => {
      const mine = vertices(x);
      return [...vertices(y)].filter((vertex) => mine.has(vertex)).length;
    };
    // ISAT's vertices are whole pixels, and of COCO's some are, too.
    expect([common(a, b), common(b, c)]).toEqual([0, 0]);
    expect(common(a, c)).toBeLessThan(0.01 * vertices(c).size);
    for (const found of [pairs(a, b), pairs(a, c), pairs(b, c)]) expect(Math.max(...found.map(({ iou }) => iou))).toBeLessThan(0.97);
  });

  it('and are as alike as docs/formats.md says', async () => {
    const all = { coco: await coco(), yolo: await yolo(), labelme: await labelme(), isat: await isat() };
    expect(Object.values(all).map(({ length }) => length)).toEqual([63, 61, 18, 42]);
    expect({
      'coco yolo': rounded(pairs(all.coco, all.yolo)),
      'coco labelme': rounded(pairs(all.coco, all.labelme)),
      'coco isat': rounded(pairs(all.coco, all.isat)),
      'yolo labelme': rounded(pairs(all.yolo, all.labelme)),
      'yolo isat': rounded(pairs(all.yolo, all.isat)),
      'labelme isat': rounded(pairs(all.labelme, all.isat)),
    }).toEqual({
      'coco yolo': [61, 0.97, 1, 0.998],
      'coco labelme': [17, 0.479, 0.819, 0.8],
      'coco isat': [34, 0.01, 0.8, 0.758],
      'yolo labelme': [17, 0.479, 0.819, 0.8],
      'yolo isat': [34, 0.01, 0.8, 0.758],
      'labelme isat': [17, 0.28, 0.894, 0.834],
    });
  });

  it('no reader is off by a part of a pixel: moving what it read makes it hardly more alike', async () => {
    const a = await coco();
    const sizes = new Map(a.map(({ image, rle }) => [basename(image), rle.size]));
    for (const other of [await labelme(), await isat()]) {
      const good = pairs(a, other).filter(({ iou }) => iou > 0.6);
      const mean = (dx: number, dy: number): number => {
        const ious = good.map(({ a: mine, b }) => {
          const [height, width] = sizes.get(basename(mine.image)) ?? [0, 0];
          return maskIou(mine.rle, geometryToRle(moved(b.geometry, dx, dy), width, height));
        });
        return ious.reduce((sum, iou) => sum + iou, 0) / ious.length;
      };
      const here = mean(0, 0);
      const steps = [-1, -0.5, 0, 0.5, 1];
      const best = Math.max(...steps.flatMap((dx) => steps.map((dy) => mean(dx, dy))));
      expect(best - here).toBeLessThan(0.01);
    }
  });
});

describe.skipIf(!sharedHas('data/interop'))('the same annotation as other tools wrote it twice', () => {
  const at = async (format: FormatId, place: string): Promise<readonly ReadInstance[]> => {
    const folder = sharedPath(`data/${place.replace(/\/[^/]+\.json$/, '')}`);
    return (await readPlace(format, sharedPath(`data/${place}`), folder)).read;
  };
  const LABELME = 'interop/labelme-examples';
  const XANY = 'interop/xanylabeling-examples/segmentation/instance_segmentation';

  it.each<[string, number, [FormatId, string], [FormatId, string]]>([
    ['nuts', 165, ['labelme', 'interop/labelme-nuts'], ['coco', 'coco/nuts/trainval.json']],
    [
      'LabelMe’s example and its COCO file',
      12,
      ['labelme', `${LABELME}/instance_segmentation/data_annotated`],
      ['coco', `${LABELME}/instance_segmentation/data_dataset_coco/annotations.json`],
    ],
    [
      'LabelMe’s boxes and their VOC files',
      9,
      ['labelme', `${LABELME}/bbox_detection/data_annotated`],
      ['voc', `${LABELME}/bbox_detection/data_dataset_voc`],
    ],
    ['X-AnyLabeling’s example and its YOLO file', 2, ['labelme', XANY], ['yolo-seg', XANY]],
  ])('%s: each of %i instances has the same pixels', async (_of, count, a, b) => {
    const [one, two] = await Promise.all([at(...a), at(...b)]);
    expect(rounded(pairs(one, two))).toEqual([count, 1, 1, 1]);
    expect(two).toHaveLength(count);
    // LabelMe's own conversion leaves out what it calls `__ignore__`.
    expect(one.filter(({ name }) => name !== '__ignore__')).toHaveLength(count);
  });

  it('Roboflow’s dataset as COCO, VOC and YOLO: the same boxes; only COCO has a crowd mark', async () => {
    const place = 'interop/datumaro-assets/roboflow_dataset';
    const [coco, voc, yolo] = await Promise.all([at('coco', `${place}/coco`), at('voc', `${place}/voc`), at('yolo-box', `${place}/yolo`)]);
    const said = (read: readonly ReadInstance[]): string[] =>
      read.map(({ image, name, rle }) => `${basename(image)} ${name} ${rle.counts}`).sort();
    expect(said(voc)).toEqual(said(coco));
    expect(said(yolo)).toEqual(said(coco));
    expect(coco.filter(({ crowd }) => crowd)).toHaveLength(1);
  });
});
