import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/store-fixtures.ts';
import { makeFolder } from './make-folder.ts';

const root = temporaryFolder();

it('makes what is missing and says where it began', () => {
  expect(makeFolder(join(root, 'a', 'b', 'c'))).toBe(join(root, 'a'));
  expect(existsSync(join(root, 'a', 'b', 'c'))).toBe(true);
  expect(makeFolder(join(root, 'a', 'b', 'c'))).toBeNull();
  expect(makeFolder(join(root, 'a', 'd'))).toBe(join(root, 'a', 'd'));
  symlinkSync(join(root, 'a'), join(root, 'link'));
  expect(makeFolder(join(root, 'link', 'e'))).toBe(join(root, 'link', 'e'));
});

it('names the file that is in the way', () => {
  writeFileSync(join(root, 'file'), '');
  expect(() => makeFolder(join(root, 'file', 'a'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
  symlinkSync(join(root, 'nowhere'), join(root, 'dangling'));
  expect(() => makeFolder(join(root, 'dangling'))).toThrow(expect.objectContaining({ code: 'EEXIST' }));
});

it.skipIf(process.platform !== 'linux')('gives up where the kernel makes no folders, instead of trying for ever', () => {
  expect(() => makeFolder('/proc/nope')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  expect(() => makeFolder('/proc/nope/deeper')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});
