import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { damageOf } from './damage.ts';
import { loadSharp } from './decoder.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-damage-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function picture(format: 'jpeg' | 'png' | 'webp' | 'tiff'): Promise<Buffer> {
  const data = Buffer.from(Array.from({ length: 300 * 200 * 3 }, (_, i) => (i * 37) % 251));
  return loadSharp()(data, { raw: { width: 300, height: 200, channels: 3 } })
    .toFormat(format)
    .toBuffer();
}

describe('an image that is not whole', () => {
  it.each(['jpeg', 'png', 'webp'] as const)('is told from a whole one: %s', async (format) => {
    const whole = await picture(format);
    const path = join(folder, `picture.${format}`);
    await writeFile(path, whole);
    expect(await damageOf(path)).toBeNull();
    await writeFile(path, whole.subarray(0, Math.floor(whole.length * 0.6)));
    expect(await damageOf(path)).toMatch(/cut off|damaged/);
  });

  it('is not one that something was put behind, nor another format that decodes', async () => {
    const path = join(folder, 'more.jpg');
    await writeFile(path, Buffer.concat([await picture('jpeg'), Buffer.alloc(20_000, 1)]));
    expect(await damageOf(path)).toBeNull();
    // So much that its end is not seen: then it is decoded.
    await writeFile(path, Buffer.concat([await picture('jpeg'), Buffer.alloc(200_000, 1)]));
    expect(await damageOf(path)).toBeNull();
    const tiff = join(folder, 'picture.tiff');
    await writeFile(tiff, await picture('tiff'));
    expect(await damageOf(tiff)).toBeNull();
    await writeFile(tiff, (await readFile(tiff)).subarray(0, 3));
    expect(await damageOf(tiff)).not.toBeNull();
  });

  it('is another matter than one that is not there', async () => {
    await expect(damageOf(join(folder, 'nowhere.jpg'))).rejects.toMatchObject({ code: 'not-found' });
  });
});
