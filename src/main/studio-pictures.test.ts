import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createBrightInference } from '../../test/bright-inference.ts';
import { makeStudio } from '../../test/make-studio.ts';
import { rectangle, temporaryFolder } from '../../test/store-fixtures.ts';
import type { CallInput, CallName, CallOutput } from '../shared/contract.ts';
import { callStudio } from './dispatch.ts';
import { decodeFitted, decodeRgb, encodePng } from './inference/pixels.ts';
import type { Studio } from './studio.ts';

const root = temporaryFolder();
let round = 0;
let folder: string;
let out: string;
let studio: Studio;
let imageId: number;
let original: Buffer;

const WIDTH = 64;
const HEIGHT = 48;

const ask = <N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> => callStudio(studio, name, input);

/** A red block of 20 × 16 at (10, 12) before green. */
beforeEach(async () => {
  folder = join(root, `photos-${++round}`);
  out = join(root, `out-${round}`);
  mkdirSync(folder);
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
    pixels.set(x >= 10 && x < 30 && y >= 12 && y < 28 ? [220, 30, 20] : [20, 160, 60], i * 3);
  }
  original = await encodePng(pixels, WIDTH, HEIGHT, 3);
  writeFileSync(join(folder, 'block.png'), original);
  writeFileSync(join(folder, 'broken.jpg'), 'no picture');
  studio = makeStudio(createBrightInference(), `${folder}-app`);
  await ask('project.open', { folder });
  await studio.scanned();
  const { rows } = await ask('images.list', { offset: 0, limit: 10 });
  imageId = rows.find((row) => row.path === 'block.png')?.id ?? 0;
  const label = await ask('labels.create', { name: 'red: block', color: '#F2A93B' });
  const geometry = { kind: 'mask', rle: rectangle(10, 12, 20, 16) } as const;
  const added = [{ id: 'block-0001', labelId: label.id, geometry, z: 1, crowd: false, origin: 'drawn' as const, suggestionId: null }];
  await ask('document.apply', { imageId, base: 0, diff: { added, removed: [], updated: [], decided: [] } });
});
afterEach(() => studio.close());

const pixel = async (file: string, x: number, y: number): Promise<number[]> => {
  const { width, data } = await decodeRgb(file);
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
};

it('writes overlays, lists what it left out, and leaves what is there', async () => {
  const report = await ask('overlays.render', { out, text: false });
  expect(report.files).toEqual(['block.png']);
  expect(report.skipped.map(({ path }) => path)).toEqual(['broken.jpg']);
  expect(await pixel(join(out, 'block.png'), 60, 40)).toEqual([20, 160, 60]);
  expect(await pixel(join(out, 'block.png'), 20, 20)).not.toEqual([220, 30, 20]);
  const again = await ask('overlays.render', { out, view: 'semantic' });
  expect(again.files).toEqual([]);
  expect(again.skipped.find(({ path }) => path === 'block.png')?.reason).toContain('is there already');
  expect((await ask('overlays.render', { out, view: 'semantic', overwrite: true })).files).toEqual(['block.png']);
  expect(readFileSync(join(folder, 'block.png')).equals(original)).toBe(true);
});

it('writes class numbers that any reader of palettes gets back', async () => {
  await ask('overlays.render', { out, indexed: true });
  // Read as colours: each number has the colour of its class.
  expect(await pixel(join(out, 'block.png'), 20, 20)).toEqual([0xf2, 0xa9, 0x3b]);
  expect(await pixel(join(out, 'block.png'), 50, 5)).toEqual([0, 0, 0]);
  expect(readFileSync(join(out, 'classes.txt'), 'utf8')).toBe('0 (none)\n1 red: block\n');
});

it('cuts an object out, hard and cropped, and soft on a colour', async () => {
  const target = { kind: 'images' } as const;
  const hard = await ask('cutouts.write', { out, target, softPx: 0, margin: 3 });
  expect(hard).toMatchObject({ objects: 1, files: ['block-red_block-1.png'] });
  expect(hard.skipped.map(({ path }) => path)).toEqual(['broken.jpg']);
  const rgba = await readRgba(join(out, 'block-red_block-1.png'), 26, 22);
  const alphas = [...rgba.keys()].filter((i) => i % 4 === 3).map((i) => rgba[i]);
  expect(new Set(alphas)).toEqual(new Set([0, 255]));
  expect(alphas.filter((alpha) => alpha === 255)).toHaveLength(320);
  expect([...rgba.subarray((3 * 26 + 3) * 4, (3 * 26 + 3) * 4 + 4)]).toEqual([220, 30, 20, 255]);

  const full = join(out, 'full');
  await ask('cutouts.write', { out: full, target, frame: 'full', softPx: 3, background: { kind: 'color', color: '#0000FF' } });
  const [red = 0, green = 255, blue = 255] = await pixel(join(full, 'block-red_block-1.png'), 20, 20);
  expect([red, green, blue]).toEqual([220, 30, 20]);
  expect(await pixel(join(full, 'block-red_block-1.png'), 60, 40)).toEqual([0, 0, 255]);
  // Just outside the border nothing of the green is left.
  const [, beside = 255] = await pixel(join(full, 'block-red_block-1.png'), 20, 10);
  expect(beside).toBeLessThan(30);
});

/** RGBA as the file has it. */
async function readRgba(file: string, width: number, height: number): Promise<Uint8Array> {
  const { loadSharp } = await import('./inference/decoder.ts');
  const { data, info } = await loadSharp()(file).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([width, height]);
  return data;
}

it('puts an object on another image, at a place of it', async () => {
  const scene = join(out, 'scene.png');
  mkdirSync(out);
  writeFileSync(scene, await encodePng(new Uint8Array(100 * 80 * 3).fill(90), 100, 80, 3));
  const background = { kind: 'image', path: scene, fit: 'at', x: 50, y: 40 } as const;
  await ask('cutouts.write', { out, target: { kind: 'images' }, softPx: 0, background });
  const file = join(out, 'block-red_block-1.png');
  expect(await pixel(file, 50, 40)).toEqual([220, 30, 20]);
  expect(await pixel(file, 49, 40)).toEqual([90, 90, 90]);
  expect(await pixel(file, 69, 55)).toEqual([220, 30, 20]);
  expect(await pixel(file, 70, 55)).toEqual([90, 90, 90]);
  const missing = ask('cutouts.write', { out, target: { kind: 'images' }, background: { kind: 'image', path: join(out, 'none.png') } });
  await expect(missing).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining('none.png') as unknown });
});

it('shows a small picture of what would be written, and says when a choice is gone', async () => {
  const target = { kind: 'instances' as const, imageId, annotationIds: ['block-0001'] };
  const preview = await ask('cutouts.preview', { target, margin: 4 });
  expect(preview).toMatchObject({ name: 'block-red_block-1.png', fullWidth: 28, fullHeight: 24 });
  expect(preview.url.startsWith('data:image/png;base64,')).toBe(true);
  await expect(ask('cutouts.preview', { target: { ...target, annotationIds: ['gone-0001'] } })).rejects.toMatchObject({
    code: 'not-found',
  });
});

it('counts into a CSV that is not replaced unasked', async () => {
  const file = join(out, 'counts.csv');
  const report = await ask('counts.write', { file });
  expect(report).toMatchObject({ images: 2, classes: [{ name: 'red: block', annotations: 1, suggestions: 0, images: 1 }] });
  expect(readFileSync(file, 'utf8')).toContain('block.png,in-progress,red: block,1,0\r\n');
  await expect(ask('counts.write', { file })).rejects.toMatchObject({ code: 'conflict' });
});

it('leaves no half picture when it is cancelled', async () => {
  const running = ask('cutouts.write', { out, target: { kind: 'images' } });
  await ask('pictures.cancel', {});
  await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
});

it('fits a background to a frame', async () => {
  const contained = await decodeFitted(join(folder, 'block.png'), 40, 40, 'contain');
  expect([contained[3], contained[(20 * 40 + 20) * 4 + 3]]).toEqual([0, 255]);
  expect((await decodeFitted(join(folder, 'block.png'), 40, 40, 'cover'))[3]).toBe(255);
});
