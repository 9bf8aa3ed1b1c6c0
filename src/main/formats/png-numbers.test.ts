import { crc32, deflateSync } from 'node:zlib';
import { encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import { encodeIndexedPng } from '../render-indexed.ts';
import { encodeColourNumbers, readPngNumbers } from './png-numbers.ts';

const numbers = (bytes: Uint8Array): number[] => [...readPngNumbers(Buffer.from(bytes), 'map.png').values];

function refusal(bytes: Uint8Array): string {
  try {
    readPngNumbers(Buffer.from(bytes), 'map.png');
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown.message;
    throw thrown;
  }
  return 'nothing';
}

const indexed = (): Buffer =>
  encodeIndexedPng(Uint8Array.of(0, 1, 2, 255, 7, 7), 3, 2, [
    [0, 0, 0],
    [128, 0, 0],
  ]);

describe('PNG files as numbers', () => {
  it('gives the places in the palette, not its colours', () => {
    expect(readPngNumbers(indexed(), 'map.png')).toEqual({
      width: 3,
      height: 2,
      kind: 'indexed',
      values: Uint8Array.of(0, 1, 2, 255, 7, 7),
      palette: [
        [0, 0, 0],
        [128, 0, 0],
      ],
    });
  });

  it('gives grey of 1, 2, 4, 8 and 16 bits as it is stored', () => {
    expect(
      numbers(encode({ width: 10, height: 2, channels: 1, depth: 1, data: Uint8Array.of(0b10110011, 0b01000000, 0, 0b10000000) })),
    ).toEqual([1, 0, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    expect(numbers(encode({ width: 3, height: 1, channels: 1, depth: 2, data: Uint8Array.of(0b11100100) }))).toEqual([3, 2, 1]);
    expect(numbers(encode({ width: 3, height: 1, channels: 1, depth: 4, data: Uint8Array.of(0xa1, 0xf0) }))).toEqual([10, 1, 15]);
    expect(numbers(encode({ width: 2, height: 1, channels: 1, depth: 8, data: Uint8Array.of(9, 250) }))).toEqual([9, 250]);
    expect(numbers(encode({ width: 2, height: 2, channels: 1, depth: 16, data: Uint16Array.of(1000, 26_001, 65_535, 2) }))).toEqual([
      1000, 26_001, 65_535, 2,
    ]);
  });

  it('gives colours as R + 256 G + 65536 B, without alpha, interlaced too', () => {
    expect(numbers(encodeColourNumbers([460_551, 1, 2 ** 24 - 1, 0], 2, 2))).toEqual([460_551, 1, 2 ** 24 - 1, 0]);
    expect(numbers(encode({ width: 1, height: 1, channels: 4, data: Uint8Array.of(1, 2, 3, 128) }))).toEqual([1 + 512 + 196_608]);
    const data = Uint8Array.from({ length: 13 * 11 * 3 }, (_, i) => (i * 7) & 255);
    expect(numbers(encode({ width: 13, height: 11, channels: 3, data }, { interlace: 'Adam7' }))).toEqual(
      numbers(encode({ width: 13, height: 11, channels: 3, data })),
    );
  });

  it('refuses, by name, whatever is cut off, damaged, too large or no PNG', () => {
    const good = indexed();
    for (let length = 0; length < good.length; length++) expect(refusal(good.subarray(0, length))).toMatch(/^map\.png cannot be read: /);
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ 0x55;
      expect(refusal(bad), `byte ${at}`).not.toBe('nothing');
    }
    const huge = Buffer.from(good);
    huge.writeUInt32BE(60_000, 16);
    expect(refusal(huge)).toContain('checksum');
  });

  it('refuses a file that unpacks to more than it says, before it is unpacked', () => {
    const bomb = chunks(4, 4, deflateSync(Buffer.alloc(64 << 20)));
    expect(bomb.length).toBeLessThan(100_000);
    expect(refusal(bomb)).toContain('more than it says');
    expect(refusal(chunks(60_000, 60_000, deflateSync(Buffer.alloc(10))))).toContain('60000 × 60000');
    expect(refusal(chunks(40, 40, deflateSync(Buffer.alloc(10))))).toContain('fewer pixels');
  });
});

/** An 8-bit grey PNG that says any size, with any packed pixels. */
function chunks(width: number, height: number, packed: Buffer): Buffer {
  const plain = Buffer.from(encode({ width: 1, height: 1, channels: 1, depth: 8, data: Uint8Array.of(0) }));
  const signature = plain.subarray(0, 8);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', packed), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const out = Buffer.alloc(data.length + 12);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  data.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, data.length + 8)), data.length + 8);
  return out;
}
