import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/store-fixtures.ts';
import { cutPictures, numbered, planCut } from './cutout.ts';
import { interLettering } from './lettering.ts';
import { createPictureFiles, isMeant, pictureStems } from './render-files.ts';

const folder = temporaryFolder();
const box = (x: number, y: number, w: number, h: number): { kind: 'box'; box: [number, number, number, number] } => ({
  kind: 'box',
  box: [x, y, w, h],
});

it('names a picture after its image, with the ending where two would be called the same', () => {
  const images = ['a.jpg', 'A.png', 'b.jpg', 'in/a.jpg', 'dots.in.name.tif'].map((path, id) => ({ id, path }));
  expect([...pictureStems(images).values()]).toEqual(['a.jpg', 'A.png', 'b', 'in/a', 'dots.in.name']);
});

it('fits a pattern without a folder in every folder', () => {
  expect([isMeant('in/a.jpg', '*.jpg'), isMeant('in/a.jpg', 'in/*.jpg'), isMeant('in/a.jpg', 'out/**'), isMeant('a.png', null)]).toEqual([
    true,
    true,
    false,
    true,
  ]);
});

it('writes whole pictures only, and never over one that is there unless it may', async () => {
  writeFileSync(join(folder, 'there.png'), 'old');
  const files = createPictureFiles(folder, false);
  await expect(files.write('there.png', Buffer.from('new'))).rejects.toMatchObject({ code: 'conflict' });
  await files.write('deep/er/new.png', Buffer.from('new'));
  expect(files.written).toEqual(['deep/er/new.png']);
  await createPictureFiles(folder, true).write('there.png', Buffer.from('new'));
  expect(readFileSync(join(folder, 'there.png'), 'utf8')).toBe('new');
  await expect(files.write('there.png/below.png', Buffer.from('x'))).rejects.toMatchObject({ code: 'io' });
  expect(readdirSync(folder).sort()).toEqual(['deep', 'there.png']);
  expect(existsSync(join(folder, 'deep', 'er', 'new.png'))).toBe(true);
});

it('numbers objects by class and makes names that every system takes', () => {
  const objects = numbered(['nut', 'a/b: c', 'nut'].map((label) => ({ label, geometry: box(0, 0, 4, 4), id: null })));
  expect(cutPictures(objects, 'in/photo', false).map(({ name }) => name)).toEqual(['in/photo-nut-1', 'in/photo-a_b_c-1', 'in/photo-nut-2']);
  expect(cutPictures(objects, 'photo', true).map(({ name }) => name)).toEqual(['photo-objects']);
  expect(cutPictures(objects.slice(0, 1), 'photo', true).map(({ name }) => name)).toEqual(['photo-nut-all']);
});

it('plans a crop around the object and softens a small one less', () => {
  const look = { frame: 'crop', margin: 2, softPx: 12, background: { kind: 'none' }, together: false } as const;
  const small = planCut([box(10, 10, 32, 32)], { width: 100, height: 80 }, look, null);
  expect(small).toMatchObject({ softPx: 2, frame: { width: 36, height: 36 }, window: [6, 6, 40, 40] });
  expect(planCut([box(10, 10, 32, 32)], { width: 100, height: 80 }, { ...look, softPx: 0 }, null)).toMatchObject({ softPx: 0 });
  expect(planCut([box(200, 10, 5, 5)], { width: 100, height: 80 }, look, null)).toBeNull();
});

it('letters in any script that Inter has, and draws a box for a sign that it lacks', () => {
  const letters = interLettering();
  expect(letters.width('nut', 20)).toBeCloseTo(2 * letters.width('nut', 10), 6);
  expect(letters.width('Ж', 10)).toBeGreaterThan(letters.width('i', 10));
  expect(letters.rings('猫', 10, 0, 0)).toHaveLength(2);
  expect(
    letters
      .rings('o', 10, 100, 50)
      .every((ring) => ring.every((value, i) => (i % 2 === 0 ? value >= 100 && value < 107 : value > 42 && value < 51))),
  ).toBe(true);
});
