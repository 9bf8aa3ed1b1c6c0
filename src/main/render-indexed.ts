import { crc32, deflateSync } from 'node:zlib';
import type { Rgb } from '../shared/views/coverage.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * A PNG of palette numbers (colour type 3, 8 bit): what is read back are the numbers themselves, as Pascal
 * VOC's class maps have it. sharp can't be told which number a colour gets. `data` is row-major, one number
 * a pixel; `palette` has a colour for each that occurs, at most 256. W3C PNG, 3rd edition, sections 5 and 11.
 */
export function encodeIndexedPng(data: Uint8Array, width: number, height: number, palette: readonly Rgb[]): Buffer {
  return encodePng(data, width, height, 1, [chunk('PLTE', Buffer.from(palette.flat()))]);
}

/** A PNG of 8-bit red, green, blue a pixel, row-major, without a profile: maps whose colours are numbers. */
export function encodeColourPng(data: Uint8Array, width: number, height: number): Buffer {
  return encodePng(data, width, height, 3, []);
}

function encodePng(data: Uint8Array, width: number, height: number, channels: 1 | 3, before: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, channels === 1 ? 3 : 2, 0, 0, 0], 8);
  const stride = width * channels;
  // Every row begins with the number of its filter: none.
  const rows = Buffer.alloc((stride + 1) * height);
  for (let y = 0; y < height; y++) rows.set(data.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  const chunks = [chunk('IHDR', header), ...before, chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([SIGNATURE, ...chunks]);
}

/** One chunk of a PNG file (section 5.3): length, type, data, checksum. */
export function chunk(type: string, data: Buffer): Buffer {
  const out = Buffer.alloc(data.length + 12);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  data.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, data.length + 8)), data.length + 8);
  return out;
}
