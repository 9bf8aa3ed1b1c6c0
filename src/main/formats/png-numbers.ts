import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { decode } from 'fast-png';
import { AppError } from '../../shared/errors.ts';
import type { Rgb } from '../../shared/views/coverage.ts';
import { chunk, encodeColourPng } from '../render-indexed.ts';

/**
 * PNG files whose pixels are numbers, not colours: class maps and instance maps. The decoder of pictures (sharp) gives
 * only colours, so the palette's indices and the 16 bits of an instance map are read here.
 */
export interface PngNumbers {
  readonly width: number;
  readonly height: number;
  /** `indexed`: places in the palette; `grey`: the value as stored, 1 to 16 bits; `colour`: R + 256 G + 65536 B. */
  readonly kind: 'indexed' | 'grey' | 'colour';
  /** Row-major, one a pixel. Alpha is left out. */
  readonly values: Uint8Array | Uint16Array | Uint32Array;
  /** Empty but for `indexed`. */
  readonly palette: readonly Rgb[];
}

/** As many pixels as the pictures beside such a file may have. */
const MAX_PIXELS = 268_402_689;
const MAX_SIDE = 65_500;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** What decides about the pixels; text, profiles and previews are not even looked at. */
const NEEDED = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND']);
const CHANNELS = new Map([
  [0, 1],
  [2, 3],
  [3, 1],
  [4, 2],
  [6, 4],
]);

/** Adam7: where each pass starts, and its steps (W3C PNG, section 8.2). */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/**
 * Reads a PNG's numbers. A file that says it is huge, that would unpack to more than its size, is cut off or has a
 * wrong checksum is refused before memory is taken for it.
 * @throws AppError `unsupported`, naming `name` and the reason.
 */
export function readPngNumbers(bytes: Buffer, name: string): PngNumbers {
  const refuse = (why: string, cause?: unknown): AppError =>
    new AppError('unsupported', `${name} cannot be read: ${why}.`, { path: name, reason: why }, cause);
  const { file, width, height, depth, colorType } = neededChunks(bytes, refuse);
  let png;
  try {
    png = decode(file);
  } catch (cause) {
    throw refuse(`its pixels are damaged (${cause instanceof Error ? cause.message : String(cause)})`, cause);
  }
  const count = width * height;
  if (colorType === 0 || colorType === 3) {
    const values = depth < 8 ? unpack(png.data, width, height, depth) : plain(png.data);
    const palette = (png.palette ?? []).map(([r = 0, g = 0, b = 0]): Rgb => [r, g, b]);
    if (colorType === 3 && palette.length === 0) throw refuse('it has no palette');
    return { width, height, kind: colorType === 3 ? 'indexed' : 'grey', values, palette };
  }
  if (depth === 16) throw refuse('its colours have 16 bits, and nobody says which number such a colour is');
  const step = png.channels;
  if (step === 2)
    return { width, height, kind: 'grey', values: Uint8Array.from({ length: count }, (_, i) => png.data[i * 2] ?? 0), palette: [] };
  const values = new Uint32Array(count);
  for (let i = 0, at = 0; i < count; i++, at += step) {
    values[i] = (png.data[at] ?? 0) | ((png.data[at + 1] ?? 0) << 8) | ((png.data[at + 2] ?? 0) << 16);
  }
  return { width, height, kind: 'colour', values, palette: [] };
}

interface NeededChunks {
  /** The file again, of nothing but the needed chunks, its pixels not packed. */
  readonly file: Buffer;
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colorType: number;
}

/** Walks the chunks (W3C PNG, section 5.3) and unpacks the pixels once, into no more memory than they may take. */
function neededChunks(bytes: Buffer, refuse: (why: string, cause?: unknown) => AppError): NeededChunks {
  if (bytes.length < 45 || !bytes.subarray(0, 8).equals(SIGNATURE)) throw refuse('it is no PNG file');
  const kept: Buffer[] = [SIGNATURE];
  const packed: Buffer[] = [];
  let ended = false;
  for (let at = 8; at + 12 <= bytes.length && !ended;) {
    const length = bytes.readUInt32BE(at);
    const end = at + 12 + length;
    if (end > bytes.length) throw refuse('it is cut off');
    const type = bytes.toString('latin1', at + 4, at + 8);
    if ((at === 8) !== (type === 'IHDR')) throw refuse('it does not begin with one header');
    if (NEEDED.has(type)) {
      if (crc32(bytes.subarray(at + 4, end - 4)) !== bytes.readUInt32BE(end - 4)) throw refuse(`the checksum of its ${type} is wrong`);
      if (type === 'IHDR' || type === 'PLTE') kept.push(bytes.subarray(at, end));
      if (type === 'IDAT') packed.push(bytes.subarray(at + 8, end - 4));
      if (type === 'PLTE' && length > 768) throw refuse('its palette has more than 256 colours');
      if (type === 'IHDR' && length !== 13) throw refuse('its header has a wrong length');
    }
    ended = type === 'IEND';
    at = end;
  }
  if (!ended) throw refuse('it is cut off');
  const width = bytes.readUInt32BE(16);
  const height = bytes.readUInt32BE(20);
  const [depth = 0, colorType = 0, , , interlace = 0] = bytes.subarray(24, 29);
  const channels = CHANNELS.get(colorType);
  if (channels === undefined || ![1, 2, 4, 8, 16].includes(depth) || (depth < 8 && channels > 1) || interlace > 1) {
    throw refuse('its header names a kind of pixels that there is not');
  }
  if (!(width > 0 && height > 0)) throw refuse('it says that it has no pixels');
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS) throw refuse(`it says it is ${width} × ${height}`);
  if (interlace === 1 && depth < 8) throw refuse('it is interlaced with less than 8 bits, which is not read; save it without interlacing');
  const rows = interlace === 1 ? passRows(width, height) : [[width, height] as const];
  const size = rows.reduce((sum, [w, h]) => sum + (w > 0 ? h * (1 + Math.ceil((w * depth * channels) / 8)) : 0), 0);
  let unpacked: Buffer;
  try {
    unpacked = inflateSync(Buffer.concat(packed), { maxOutputLength: size + 4096 });
  } catch (cause) {
    throw refuse('its pixels cannot be unpacked, or are more than it says', cause);
  }
  if (unpacked.length < size) throw refuse('it has fewer pixels than it says');
  // Unpacked here, by zlib and with a bound: the decoder gets the pixels as they are.
  kept.push(chunk('IDAT', deflateSync(unpacked, { level: 0 })), chunk('IEND', Buffer.alloc(0)));
  return { file: Buffer.concat(kept), width, height, depth, colorType };
}

function passRows(width: number, height: number): (readonly [number, number])[] {
  return PASSES.map(([x, y, dx, dy]) => [Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)] as const).filter(
    ([w, h]) => w > 0 && h > 0,
  );
}

function plain(data: Uint8Array | Uint8ClampedArray | Uint16Array): Uint8Array | Uint16Array {
  return data instanceof Uint8ClampedArray ? Uint8Array.from(data) : data;
}

/** Rows of 1, 2 or 4 bits a pixel, each row beginning with a byte of its own, leftmost pixel in the high bits. */
function unpack(data: ArrayLike<number>, width: number, height: number, depth: number): Uint8Array {
  const out = new Uint8Array(width * height);
  const perByte = 8 / depth;
  const stride = Math.ceil(width / perByte);
  const mask = (1 << depth) - 1;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const byte = data[y * stride + Math.floor(x / perByte)] ?? 0;
      out[i] = (byte >> (8 - depth * ((x % perByte) + 1))) & mask;
    }
  }
  return out;
}

/** A PNG of 8-bit colours, each R + 256 G + 65536 B of one number a pixel: COCO's panoptic maps. */
export function encodeColourNumbers(values: ArrayLike<number>, width: number, height: number): Buffer {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0, at = 0; i < width * height; i++) {
    const value = values[i] ?? 0;
    data[at++] = value & 255;
    data[at++] = (value >> 8) & 255;
    data[at++] = (value >> 16) & 255;
  }
  return encodeColourPng(data, width, height);
}
