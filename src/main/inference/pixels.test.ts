import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import { chooseDecoder, loadSharp } from './decoder.ts';
import { decodeRgb, decoderName, displayable, encodeJpeg, encodePng, readHeader, thumbnail } from './pixels.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskloop-pixels-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** 6 x 4, every pixel another colour. */
const width = 6;
const height = 4;
const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 41 + 7) % 256);

async function keep(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}
const made = (): ReturnType<ReturnType<typeof loadSharp>> => loadSharp()(data, { raw: { width, height, channels: 3 } });

async function refusal(promise: Promise<unknown>): Promise<AppError> {
  const thrown: unknown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof AppError) return thrown;
  throw new Error(`expected an AppError, got ${String(thrown)}`);
}

describe('which build of sharp', () => {
  it('is the WebAssembly one only in Electron on Linux', () => {
    expect(chooseDecoder(undefined, 'linux', true).build).toBe('wasm');
    for (const platform of ['win32', 'darwin'] as const) expect(chooseDecoder(undefined, platform, true).build).toBe('native');
    expect(chooseDecoder(undefined, 'linux', false)).toEqual({ build: 'native', reason: 'Node on linux' });
  });
  it('can be forced, and says so', () => {
    expect(chooseDecoder('wasm', 'darwin', false)).toEqual({ build: 'wasm', reason: 'MASKLOOP_DECODER' });
    expect(() => chooseDecoder('magick', 'linux', false)).toThrow('MASKLOOP_DECODER is "magick"');
  });
  it('decodes to the same pixels either way', async () => {
    const path = await keep('both.png', await encodePng(data, width, height, 3));
    const script = `
      const { decodeRgb, decoderName } = await import(${JSON.stringify(new URL('./pixels.ts', import.meta.url).href)});
      const image = await decodeRgb(${JSON.stringify(path)});
      console.log(JSON.stringify({ name: decoderName(), size: [image.width, image.height], data: [...image.data] }));`;
    const run = (decoder: string): Promise<{ stdout: string }> =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
        cwd: fileURLToPath(new URL('../../..', import.meta.url)),
        env: { ...process.env, MASKLOOP_DECODER: decoder },
      });
    const wasm: unknown = JSON.parse((await run('wasm')).stdout);
    expect(wasm).toMatchObject({ size: [width, height], data: [...data] });
    expect(wasm).toHaveProperty('name', expect.stringMatching(/^sharp 0\.\d+\.\d+ \(wasm: MASKLOOP_DECODER\)$/));
    expect(decoderName()).toMatch(/^sharp 0\.\d+\.\d+ \(native: Node on /);
  });
});

describe('decoding', () => {
  it('gives back the pixels of a PNG', async () => {
    const path = await keep('plain.png', await encodePng(data, width, height, 3));
    expect(await decodeRgb(path)).toEqual({ width, height, data: Buffer.from(data) });
    expect(await readHeader(path)).toMatchObject({ width, height, orientation: 1, format: 'png', frames: 1, alpha: false });
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('turns EXIF orientation %i upright', async (orientation) => {
    const path = await keep(`o${orientation}.png`, await made().png().withMetadata({ orientation }).toBuffer());
    const turned = orientation >= 5;
    const [w, h] = turned ? [height, width] : [width, height];
    expect(await readHeader(path)).toMatchObject({ width: w, height: h, orientation });
    const image = await decodeRgb(path);
    expect([image.width, image.height]).toEqual([w, h]);
    // EXIF 2.3, tag 0x112: where row 0 and column 0 of the file are in the upright image.
    const from = (x: number, y: number): [number, number] =>
      ((): [number, number] => {
        switch (orientation) {
          case 2:
            return [width - 1 - x, y];
          case 3:
            return [width - 1 - x, height - 1 - y];
          case 4:
            return [x, height - 1 - y];
          case 5:
            return [y, x];
          case 6:
            return [y, height - 1 - x];
          case 7:
            return [width - 1 - y, height - 1 - x];
          case 8:
            return [width - 1 - y, x];
          default:
            return [x, y];
        }
      })();
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const [fx, fy] = from(x, y);
        const at = (y * w + x) * 3;
        const source = (fy * width + fx) * 3;
        expect([...image.data.subarray(at, at + 3)]).toEqual([...data.subarray(source, source + 3)]);
      }
    }
  });

  it('drops alpha and keeps the colour behind it, as trainers do', async () => {
    const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) => (i % 4 === 3 ? 0 : (data[i - (i >> 2)] ?? 0)));
    const path = await keep('alpha.png', await encodePng(rgba, width, height, 4));
    expect([...(await decodeRgb(path)).data]).toEqual([...data]);
    expect(await displayable(path)).toMatchObject({ kind: 'bytes', type: 'image/png' });
  });

  it('scales 16 bits to 8, and makes three channels of one', async () => {
    const grey16 = new Uint16Array(width * height).map((_, i) => i * 2700 + 128);
    const bytes = await loadSharp()(grey16, { raw: { width, height, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    const path = await keep('grey16.png', bytes);
    expect((await readHeader(path)).bitsPerChannel).toBe(16);
    const image = await decodeRgb(path);
    expect(image.data[0]).toBe(image.data[1]);
    expect(image.data.length).toBe(width * height * 3);
    const last = (grey16.at(-1) ?? 0) / 257;
    expect(Math.abs((image.data.at(-1) ?? 0) - last)).toBeLessThan(1.5);
  });

  it('reads CMYK, and the first frame of an animation', async () => {
    const cmyk = await keep('cmyk.jpg', await made().toColourspace('cmyk').jpeg().toBuffer());
    expect((await readHeader(cmyk)).cmyk).toBe(true);
    expect((await decodeRgb(cmyk)).data.length).toBe(width * height * 3);
    const frames = Uint8Array.from({ length: 2 * width * height * 3 }, (_, i) => (i < width * height * 3 ? 255 : 0));
    const gif = await loadSharp()(frames, { raw: { width, height: 2 * height, channels: 3, pageHeight: height } })
      .gif()
      .toBuffer();
    const path = await keep('two.gif', gif);
    expect(await readHeader(path)).toMatchObject({ width, height, format: 'gif' });
    expect([...(await decodeRgb(path)).data]).toEqual(new Array(width * height * 3).fill(255));
  });

  it('scales a larger image down while it decodes, with its header telling the real size', async () => {
    const path = await keep('wide.png', await encodePng(new Uint8Array(400 * 100 * 3).fill(90), 400, 100, 3));
    const image = await decodeRgb(path, 10_000);
    expect([image.width, image.height]).toEqual([200, 50]);
    expect(new Set(image.data)).toEqual(new Set([90]));
  });

  it('shows a JPEG as it is, and makes thumbnails upright and small', async () => {
    const bytes = await loadSharp()(new Uint8Array(600 * 300 * 3).fill(80), { raw: { width: 600, height: 300, channels: 3 } })
      .jpeg()
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const path = await keep('turned.jpg', bytes);
    expect(await displayable(path)).toEqual({ kind: 'file', path, type: 'image/jpeg' });
    const thumb = await keep('thumb.webp', await thumbnail(path, 256));
    expect(await readHeader(thumb)).toMatchObject({ width: 128, height: 256, format: 'webp', orientation: 1 });
  });

  it('encodes JPEG close to what it was given', async () => {
    const flat = { width: 32, height: 16, data: new Uint8Array(32 * 16 * 3).map((_, i) => [200, 40, 90][i % 3] ?? 0) };
    const path = await keep('flat.jpg', await encodeJpeg(flat));
    const back = await decodeRgb(path);
    for (let i = 0; i < flat.data.length; i++) expect(Math.abs((back.data[i] ?? 0) - (flat.data[i] ?? 0))).toBeLessThan(4);
  });
});

describe('what cannot be decoded says why', () => {
  it('cut off', async () => {
    const whole = await loadSharp()(
      new Uint8Array(300 * 300 * 3).map((_, i) => (i * i) % 251),
      { raw: { width: 300, height: 300, channels: 3 } },
    )
      .jpeg()
      .toBuffer();
    const path = await keep('half.jpg', whole.subarray(0, whole.length >> 1));
    expect(await readHeader(path)).toMatchObject({ width: 300 });
    const error = await refusal(decodeRgb(path));
    expect(error.code).toBe('unsupported');
    expect(error.message).toMatch(/^half\.jpg: the file is cut off/);
    expect(error.detail['path']).toBe(path);
  });

  it.each([
    ['empty.jpg', '', 'the file is empty'],
    ['text.png', '<html>404</html>', 'it is not an image, or its start is damaged'],
    ['old.bmp', 'BM'.padEnd(60, '\0'), 'BMP is not read'],
    [
      'drawing.jpg',
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
      'SVG files are not read; use JPEG, PNG, WebP, GIF, TIFF or AVIF',
    ],
  ])('%s', async (name, content, reason) => {
    const error = await refusal(decodeRgb(await keep(name, Buffer.from(content, 'latin1'))));
    expect(error.code).toBe('unsupported');
    expect(error.detail['reason']).toBe(reason);
  });

  it('pixels without a range', async () => {
    // The least TIFF of 2 x 1 floats: tag, type (3 short, 4 long), count, value.
    const tags = [
      [256, 3, 1, 2],
      [257, 3, 1, 1],
      [258, 3, 1, 32],
      [259, 3, 1, 1],
      [262, 3, 1, 1],
      [273, 4, 1, 8],
      [277, 3, 1, 1],
      [278, 3, 1, 1],
      [279, 4, 1, 8],
      [339, 3, 1, 3],
    ];
    const bytes = Buffer.alloc(16 + 2 + tags.length * 12 + 4);
    bytes.write('II*\0', 'latin1');
    bytes.writeUInt32LE(16, 4);
    bytes.writeFloatLE(0.25, 8);
    bytes.writeFloatLE(0.75, 12);
    bytes.writeUInt16LE(tags.length, 16);
    for (const [i, [tag = 0, type = 0, count = 0, value = 0]] of tags.entries()) {
      const at = 18 + i * 12;
      bytes.writeUInt16LE(tag, at);
      bytes.writeUInt16LE(type, at + 2);
      bytes.writeUInt32LE(count, at + 4);
      bytes.writeUInt32LE(value, at + 8);
    }
    expect((await refusal(readHeader(await keep('float.tif', bytes)))).detail['reason']).toMatch(/^its pixels are float numbers/);
  });

  it('a file that is gone, a folder, a size that is a bomb', async () => {
    expect(await refusal(readHeader(join(folder, 'gone.jpg')))).toMatchObject({ code: 'not-found' });
    expect((await refusal(readHeader(folder))).detail['reason']).toBe('it is a folder');
    const bomb = Buffer.from(await encodePng(data, width, height, 3));
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    const error = await refusal(readHeader(await keep('bomb.png', bomb)));
    expect(error.code).toBe('unsupported');
  });
});
