import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { geometryRuns } from '../../shared/mask/raster.ts';
import { countsToString, rleArea, rleBox } from '../../shared/mask/rle.ts';
import { combineRuns, runsArea } from '../../shared/mask/runs.ts';
import type { ImageRecord } from '../../shared/records.ts';
import { CLASS_MASKS } from './class-masks.ts';
import { collect } from './dataset.test-support.ts';
import { imageFiles } from './folder.ts';
import { anyProject, sourceOf } from './projects.test-support.ts';
import type { MadeProject } from './projects.test-support.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-class-masks-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('class masks of any project', () => {
  it('have, for every class, the pixels that no other class above it has', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const made = anyProject(seed);
      const out = join(folder, String(seed));
      await mkdir(out);
      await CLASS_MASKS.writer?.write(sourceOf(made), out, { images: 'leave' }, () => undefined);
      const sink = collect();
      const files = imageFiles(made.images.map(({ path }) => path));
      await CLASS_MASKS.reader.read(out, sink, { images: out, files, sizeOf: () => Promise.resolve(null) });
      const names = new Map(sink.categories.map(({ key, name }) => [key, name]));
      for (const image of made.images) {
        const found = sink.images.find(({ path }) => path === image.path);
        expect(found, image.path).toBeDefined();
        const read = sink.instances.filter(({ imageKey }) => imageKey === found?.key);
        const told = read.map(({ categoryKey, geometry }) => [names.get(categoryKey), geometry.kind === 'mask' ? geometry.rle.counts : '']);
        expect(new Map(told as [string, string][]), `${image.path} of seed ${seed}`).toEqual(visibleByClass(made, image));
      }
    }
  });
});

describe('a class map', () => {
  it('is about the image at its own place, also where images lie in folders that are called like those of masks', async () => {
    const one = encode({ width: 2, height: 1, data: Uint8Array.of(0, 1), channels: 1, depth: 8 });
    const images = ['images/JPEGImages/a.jpg', 'images/SegmentationClass/a.png', 'images/labels/masks/a.png'];
    for (const path of images) {
      const mask = join(folder, path.replace(/^images/, 'masks').replace(/jpg$/, 'png'));
      for (const file of [mask, join(folder, path)]) {
        await mkdir(join(file, '..'), { recursive: true });
        await writeFile(file, one);
      }
    }
    const sink = collect();
    await CLASS_MASKS.reader.read(folder, sink, { images: folder, files: imageFiles(images), sizeOf: () => Promise.resolve(null) });
    expect(sink.images.map(({ path }) => path).sort()).toEqual(images);
    expect(sink.findings.filter(({ kind }) => kind === 'refused')).toEqual([]);
  });

  it('is one instance a class, or one for each piece that is connected, over corners too', async () => {
    const rows = ['1100000', '1100011', '0010011', '0000000', '2202200'];
    const data = Uint8Array.from(rows.join(''), Number);
    await mkdir(join(folder, 'masks'));
    await writeFile(join(folder, 'masks', 'a.png'), encode({ width: 7, height: 5, data, channels: 1, depth: 8 }));
    await writeFile(join(folder, 'classes.txt'), 'background\nmug\npot\n');
    const read = async (regions: 'class' | 'components'): Promise<ReturnType<typeof collect>> => {
      const sink = collect();
      const files = imageFiles(['images/a.jpg']);
      await CLASS_MASKS.reader.read(folder, sink, { images: folder, files, regions, sizeOf: () => Promise.resolve(null) });
      return sink;
    };
    const shapes = ({ instances, categories }: ReturnType<typeof collect>): [string | undefined, number, readonly number[]][] =>
      instances.map(({ categoryKey, geometry }) => {
        const rle = geometry.kind === 'mask' ? geometry.rle : null;
        const name = categories.find(({ key }) => key === categoryKey)?.name;
        return [name, rle ? rleArea(rle) : 0, rle ? rleBox(rle) : []];
      });
    expect(shapes(await read('class'))).toEqual([
      ['mug', 9, [0, 0, 7, 3]],
      ['pot', 4, [0, 4, 5, 1]],
    ]);
    const pieces = await read('components');
    expect(shapes(pieces)).toEqual([
      ['mug', 5, [0, 0, 3, 3]],
      ['mug', 4, [5, 1, 2, 2]],
      ['pot', 2, [0, 4, 2, 1]],
      ['pot', 2, [3, 4, 2, 1]],
    ]);
    expect(pieces.findings.map(({ message }) => message).join()).toContain('each connected piece');
  });
});

/** The pixels of each class that are seen, by runs alone: each instance takes its own from all other classes under it. */
function visibleByClass(made: MadeProject, { id, width, height }: ImageRecord): Map<string, string> {
  const seen = new Map<number, Uint32Array>();
  const order = [...(made.documents.get(id) ?? [])].sort(
    (a, b) => Number(b.annotation.crowd) - Number(a.annotation.crowd) || a.annotation.z - b.annotation.z || a.number - b.number,
  );
  for (const { annotation } of order) {
    const runs = geometryRuns(annotation.geometry, width, height);
    for (const [labelId, others] of seen) if (labelId !== annotation.labelId) seen.set(labelId, combineRuns(others, runs, 'difference'));
    seen.set(annotation.labelId, combineRuns(seen.get(annotation.labelId) ?? Uint32Array.of(width * height), runs, 'union'));
  }
  const names = new Map(made.labels.map((label) => [label.id, label.name]));
  const left = [...seen].filter(([, runs]) => runsArea(runs) > 0);
  return new Map(left.map(([labelId, runs]) => [names.get(labelId) ?? '', countsToString(runs)]));
}
