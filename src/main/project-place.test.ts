import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { containing, temporaryFolder } from '../../test/store-fixtures.ts';
import { findProject, placeProject } from './project-place.ts';

const root = temporaryFolder();
let rounds = 0;
let folder: string;
let appFolder: string;
beforeEach(() => {
  folder = join(root, `photos-${++rounds}`);
  appFolder = `${folder}-app`;
  mkdirSync(folder);
});

function write(file: string, text: string, seconds: number): void {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  utimesSync(file, seconds, seconds);
}

/** A plain file in the place of the project's folder refuses every user, root included. */
function lock(): string {
  writeFileSync(join(folder, '.maskloop'), '');
  return placeProject(folder, null, appFolder).file;
}

it('takes what was written last when the folder can be written again, and names the other', () => {
  const outside = lock();
  rmSync(join(folder, '.maskloop'));
  const inside = join(folder, '.maskloop', 'project.db');
  expect(placeProject(folder, null, appFolder)).toMatchObject({ file: inside, note: null });

  write(inside, 'before', 1000);
  write(outside, 'worked on while the folder could not be written', 2000);
  expect(placeProject(folder, null, appFolder)).toMatchObject({ file: outside, note: containing(inside) });
  write(inside, 'worked on since, elsewhere', 3000);
  expect(placeProject(folder, null, appFolder)).toMatchObject({ file: inside, note: containing(outside) });
  write(`${outside}-wal`, 'a log that was not folded in', 4000);
  expect(placeProject(folder, null, appFolder).file).toBe(outside);
});

it('takes a project that lies only in the app folder', () => {
  const outside = lock();
  rmSync(join(folder, '.maskloop'));
  write(outside, 'mine', 1000);
  expect(placeProject(folder, null, appFolder).file).toBe(outside);
  expect(existsSync(join(folder, '.maskloop', 'project.db'))).toBe(false);
});

it('copies the project of a folder that cannot be written once, whole', () => {
  const inside = join(folder, '.maskloop', 'project.db');
  write(inside, 'the project', 1000);
  // A folder in the place of the probe file: writing it fails for root too.
  mkdirSync(join(folder, '.maskloop', `.probe-${process.pid}`));
  const { file, note } = placeProject(folder, null, appFolder);
  expect(note).toContain('cannot be written');
  expect(readFileSync(file, 'utf8')).toBe('the project');
  expect(existsSync(`${file}.partial`)).toBe(false);
  writeFileSync(file, 'the project, edited');
  expect(readFileSync(placeProject(folder, null, appFolder).file, 'utf8')).toBe('the project, edited');
});

it('finds the project of a folder without making anything', () => {
  expect(findProject(folder, appFolder)).toBeNull();
  expect(existsSync(join(folder, '.maskloop'))).toBe(false);
  expect(existsSync(appFolder)).toBe(false);
  const outside = lock();
  write(outside, 'work', 1000);
  expect(findProject(folder, appFolder)).toBe(outside);
  rmSync(join(folder, '.maskloop'));
  const inside = join(folder, '.maskloop', 'project.db');
  write(inside, 'later work', 2000);
  expect(findProject(folder, appFolder)).toBe(inside);
  expect(() => findProject(join(folder, 'nowhere'), appFolder)).toThrow('There is no folder');
});
