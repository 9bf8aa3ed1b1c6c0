import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readBounds, writeBounds } from './window-bounds.ts';

const screen = { x: 0, y: 0, width: 1920, height: 1080 };
let folder: string;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'maskloop-bounds-'));
  file = join(folder, 'window.json');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('reads what it wrote', () => {
  const bounds = { x: 20, y: 30, width: 1280, height: 800, maximized: true };
  writeBounds(file, bounds);
  expect(readBounds(file, [screen])).toEqual(bounds);
});

it('forgets a place that no screen shows any more', () => {
  writeBounds(file, { x: 2500, y: 0, width: 1280, height: 800, maximized: false });
  expect(readBounds(file, [screen])).toBeNull();
  expect(readBounds(file, [screen, { ...screen, x: 1920 }])).not.toBeNull();
});

it.each(['', '{', '{"x":0}', '{"x":0,"y":0,"width":1,"height":1,"maximized":false}'])('takes %s for none', (text) => {
  writeFileSync(file, text);
  expect(readBounds(file, [screen])).toBeNull();
});
