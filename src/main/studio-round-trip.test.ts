import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createBrightInference } from '../../test/bright-inference.ts';
import { makeStudio } from '../../test/make-studio.ts';
import { temporaryFolder } from '../../test/store-fixtures.ts';
import type { CallInput, CallName, CallOutput } from '../shared/contract.ts';
import { EMPTY_DIFF } from '../shared/diff.ts';
import { callStudio } from './dispatch.ts';
import { encodePng } from './inference/pixels.ts';
import type { Studio } from './studio.ts';

const root = temporaryFolder();
let round = 0;
let folder: string;
let studio: Studio;

const FILE = `{"info": {"year": 2020, "v": 1.0},
 "images": [{"id": "b", "file_name": "b.png", "width": 40, "height": 30, "note": 1.50}, {"id": 0, "file_name": "a.png", "height": 30, "width": 40}],
 "annotations": [
  {"id": 31, "image_id": "b", "category_id": 0, "segmentation": [[1.10, 1, 20, 1e0, 20.0, 20.5]], "area": 184.3, "bbox": [1.1, 1, 18.9, 19.5], "iscrowd": 0, "k": [1.0]},
  {"id": 7, "image_id": 0, "category_id": 5, "segmentation": [[5, 5, 12, 5, 12, 12, 5, 12]], "area": 1, "bbox": [0, 0, 1, 1], "iscrowd": 0},
  {"id": 12, "image_id": "b", "category_id": 5, "segmentation": {"counts": [31, 4, 26, 4, 1135], "size": [30, 40]}, "area": 8, "bbox": [1, 1, 2, 4], "iscrowd": 1}],
 "categories": [{"id": 5, "name": "nut", "supercategory": "thing"}, {"id": 0, "name": "bolt"}], "licenses": []}
`;

beforeEach(async () => {
  folder = join(root, `photos-${++round}`);
  mkdirSync(folder);
  for (const [i, name] of ['a.png', 'b.png', 'c.png'].entries()) {
    writeFileSync(join(folder, name), await encodePng(new Uint8Array(40 * 30 * 3).fill(50 * i), 40, 30, 3));
  }
  writeFileSync(`${folder}.json`, FILE);
  studio = makeStudio(createBrightInference(), `${folder}-app`);
  await call('project.open', { folder });
  await studio.scanned();
  const { id } = await call('import.read', { place: `${folder}.json`, format: 'coco' });
  await call('import.commit', { id });
});
afterEach(() => studio.close());

const call = <N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> => callStudio(studio, name, input);

/** The file that an export of the project as it is now writes. `c.png`, which was not imported, is left out. */
async function exported(): Promise<string> {
  const out = join(root, `out-${++round}`);
  await call('export.coco', { out, includeEmpty: false });
  return readFileSync(join(out, 'annotations.json'), 'utf8');
}

it('gives an imported dataset back as it was, also after an edit that was undone', async () => {
  const before = await exported();
  expect(JSON.parse(before)).toEqual(JSON.parse(FILE));
  expect(Object.keys(JSON.parse(before) as object)).toEqual(Object.keys(JSON.parse(FILE) as object));
  expect(before).toContain('"segmentation": [[1.10, 1, 20, 1e0, 20.0, 20.5]], "area": 184.3');
  expect(before).toContain('"note": 1.50}');

  const { rows } = await call('images.list', { offset: 0, limit: 10, search: 'a.png' });
  const imageId = rows[0]?.id ?? 0;
  const document = await call('document.load', { imageId });
  const [square] = document.annotations;
  if (!square) throw new Error('nothing was imported');
  const to = { ...square, geometry: { kind: 'polygon', parts: [{ outer: [6, 6, 13, 6, 13, 13, 6, 13], holes: [] }] } } as const;
  const saved = await call('document.apply', { imageId, base: document.revision, diff: { ...EMPTY_DIFF, updated: [[square, to]] } });
  const edited = JSON.parse(await exported()) as { annotations: unknown[] };
  const [first, , third] = (JSON.parse(FILE) as { annotations: unknown[] }).annotations;
  expect(edited.annotations).toEqual([
    first,
    { id: 7, image_id: 0, category_id: 5, segmentation: [[6, 6, 13, 6, 13, 13, 6, 13]], area: 49, bbox: [6, 6, 7, 7], iscrowd: 0 },
    third,
  ]);

  await call('document.undo', { imageId, base: saved.revision });
  expect(await exported()).toBe(before);
});

it('puts what was drawn after it, with ids that the file does not have', async () => {
  const { rows } = await call('images.list', { offset: 0, limit: 10, search: 'c.png' });
  const imageId = rows[0]?.id ?? 0;
  const [label] = await call('labels.list', {});
  const geometry = { kind: 'box', box: [2, 3, 10, 5] } as const;
  const drawn = {
    id: 'drawn-by-hand',
    labelId: label?.id ?? 0,
    geometry,
    z: 1,
    crowd: false,
    origin: 'drawn',
    suggestionId: null,
  } as const;
  await call('document.apply', { imageId, base: 0, diff: { ...EMPTY_DIFF, added: [drawn] } });
  const file = JSON.parse(await exported()) as {
    images: { id: unknown; file_name: string }[];
    annotations: { id: number; image_id: unknown }[];
  };
  expect(file.images.map(({ file_name }) => file_name)).toEqual(['b.png', 'a.png', 'c.png']);
  expect(file.annotations.map(({ id }) => id).slice(0, 3)).toEqual([31, 7, 12]);
  const last = file.annotations[3];
  expect(last?.id).toBeGreaterThan(31);
  expect(last?.image_id).toBe(file.images[2]?.id);
  expect(new Set(file.images.map(({ id }) => id)).size).toBe(3);
});
