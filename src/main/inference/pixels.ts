import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { decoderName, loadSharp } from './decoder.ts';
import type { Sharp } from './decoder.ts';

export { decoderName };

/**
 * Image files to pixels and back. What an annotator sees, what a model gets and what a trainer reads
 * must be the same pixels, so decoding follows what trainers do (Pillow's `convert('RGB')`, OpenCV's
 * `imread`): oriented by EXIF; alpha dropped, not blended; an embedded RGB profile ignored; palette
 * and grey expanded; the first frame of an animation. Beyond them: 16 bits are scaled to 8 (Pillow
 * clips), CMYK goes through its profile. Originals are only ever read.
 *
 * A file that is cut off or damaged is refused with its reason; half of a picture is no picture.
 * Warnings (odd metadata, trailing bytes) are let pass, as trainers let them.
 */

/** Interleaved 8-bit sRGB, row-major, `width * height * 3` bytes, oriented. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** What the header says. Sizes are of the oriented image. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  /** EXIF orientation, 1..8; 1 where there is none. */
  readonly orientation: number;
  readonly format: ImageFormat;
  /** Frames or pages; only the first is used. */
  readonly frames: number;
  readonly alpha: boolean;
  readonly cmyk: boolean;
  readonly bitsPerChannel: number;
}

export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif';
const FORMATS: readonly ImageFormat[] = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'];

/** File name endings that the studio looks at when it scans a folder, lower case, with the dot. */
export const IMAGE_EXTENSIONS: readonly string[] = ['.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'];

/** 0x3FFF squared, as libvips' own guard: 268 megapixels, 805 MB as RGB. */
const MAX_PIXELS = 268_402_689;
/** Colour spaces whose floats have a meaning of their own. */
const DEVICE_INDEPENDENT: ReadonlySet<string> = new Set(['lab', 'xyz', 'scrgb', 'oklab']);
const MAX_SIDE = 65_500;
const TIMEOUT_SECONDS = 120;

/**
 * Reads size, orientation and kind, without decoding.
 * @throws AppError `not-found`, `io` (cannot be read) or `unsupported` (not an image we read, damaged,
 * too large); `detail.path` and `detail.reason` say which and why.
 */
export async function readHeader(path: string): Promise<ImageHeader> {
  const meta = await guarded(path, () => input(path).metadata());
  const format = FORMATS.find((known) => known === (meta.format === 'heif' ? 'avif' : meta.format));
  if (!format || (meta.format === 'heif' && meta.compression !== 'av1')) {
    throw refusal(path, `${meta.format.toUpperCase()} files are not read; use JPEG, PNG, WebP, GIF, TIFF or AVIF`);
  }
  const width = meta.autoOrient.width;
  const height = meta.pageHeight && meta.pages && meta.pages > 1 ? meta.pageHeight : meta.autoOrient.height;
  if (!(width > 0 && height > 0)) throw refusal(path, 'it says that it has no pixels');
  if (width * height > MAX_PIXELS || width > MAX_SIDE || height > MAX_SIDE) {
    throw refusal(
      path,
      `it says it is ${width} × ${height}, ${Math.round((width * height) / 1e6)} megapixels; ` +
        `at most ${Math.floor(MAX_PIXELS / 1e6)} megapixels and ${MAX_SIDE} a side are read`,
    );
  }
  if (bits(meta.depth) === 32 && !DEVICE_INDEPENDENT.has(meta.space)) {
    throw refusal(path, `its pixels are ${meta.depth} numbers, of which nobody says what is black and white; save it with 8 or 16 bits`);
  }
  return {
    width,
    height,
    orientation: meta.orientation ?? 1,
    format,
    frames: meta.pages ?? 1,
    alpha: meta.hasAlpha,
    cmyk: meta.space === 'cmyk',
    bitsPerChannel: bits(meta.depth),
  };
}

/** A decode that has begun, in the decoder's own threads. */
export interface Decoding {
  readonly header: ImageHeader;
  readonly pixels: Promise<RgbImage>;
}

/**
 * Reads the header and begins to decode to oriented RGB; the decode goes on even while the event loop is
 * held. With `maxPixels`, a larger image is scaled down while it is decoded, so that memory follows the
 * answer and not the file; the pixels' size then differs from the header's.
 * @throws AppError as `readHeader`, here or from `pixels`.
 */
export async function beginDecoding(path: string, maxPixels: number = MAX_PIXELS): Promise<Decoding> {
  const header = await readHeader(path);
  return { header, pixels: decodePixels(path, header, maxPixels) };
}

/** The pixels of a whole image, oriented. @throws AppError as `readHeader`. */
export async function decodeRgb(path: string, maxPixels: number = MAX_PIXELS): Promise<RgbImage> {
  return (await beginDecoding(path, maxPixels)).pixels;
}

async function decodePixels(path: string, header: ImageHeader, maxPixels: number): Promise<RgbImage> {
  const scale = Math.min(1, Math.sqrt(maxPixels / (header.width * header.height)));
  const { data, info } = await guarded(path, () => {
    const image = oriented(path, header);
    if (scale < 1) {
      image.resize(Math.max(1, Math.floor(header.width * scale)), Math.max(1, Math.floor(header.height * scale)), {
        fit: 'fill',
        kernel: 'linear',
      });
    }
    return image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  });
  if (info.channels !== 3 || data.byteLength !== info.width * info.height * 3) {
    throw refusal(path, `it decoded to ${info.channels} channels of ${info.width} × ${info.height}; expected 3`);
  }
  if (scale === 1 && (info.width !== header.width || info.height !== header.height)) {
    throw refusal(path, `its header says ${header.width} × ${header.height} and its data are ${info.width} × ${info.height}`);
  }
  return { width: info.width, height: info.height, data };
}

/**
 * An image as interleaved RGBA of exactly this size: `cover` fills it and cuts what reaches over, `contain` shows all of
 * it in the middle of nothing. @throws AppError as `readHeader`.
 */
export async function decodeFitted(path: string, width: number, height: number, fit: 'cover' | 'contain'): Promise<Uint8Array> {
  // First the pixels: sharp takes the file's own alpha away last, with that of the empty sides.
  const { data, width: from, height: by } = await decodeRgb(path);
  return raw(data, from, by, 3)
    .resize(width, height, { fit, background: { r: 0, g: 0, b: 0, alpha: 0 } })
    .ensureAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer();
}

/** A WebP of at most `maxPx` a side, oriented, never enlarged. @throws AppError as `readHeader`. */
export async function thumbnail(path: string, maxPx: number): Promise<Buffer> {
  const header = await readHeader(path);
  return guarded(path, () =>
    oriented(path, header).resize(maxPx, maxPx, { fit: 'inside', withoutEnlargement: true }).webp({ quality: 80, effort: 2 }).toBuffer(),
  );
}

/** Grey levels of an oriented image shrunk to exactly this size, row by row; its own proportions are not kept. @throws AppError as `readHeader`. */
export async function greyFields(path: string, width: number, height: number): Promise<Uint8Array> {
  const header = await readHeader(path);
  return guarded(path, () => oriented(path, header).resize(width, height, { fit: 'fill' }).greyscale().raw({ depth: 'uchar' }).toBuffer());
}

export type Displayable =
  | { readonly kind: 'file'; readonly path: string; readonly type: string }
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly type: string };

/**
 * What the window may show: the file itself where a browser shows exactly the pixels of `decodeRgb`
 * (JPEG of any orientation, opaque still PNG and WebP), else those pixels as PNG.
 * @throws AppError as `readHeader`.
 */
export async function displayable(path: string): Promise<Displayable> {
  const header = await readHeader(path);
  const plain = !header.alpha && !header.cmyk && header.frames === 1;
  if (plain && header.format === 'jpeg') return { kind: 'file', path, type: 'image/jpeg' };
  if (plain && header.orientation === 1 && (header.format === 'png' || header.format === 'webp')) {
    return { kind: 'file', path, type: `image/${header.format}` };
  }
  const bytes = await guarded(path, () => oriented(path, header).png({ compressionLevel: 2 }).toBuffer());
  return { kind: 'bytes', bytes, type: 'image/png' };
}

/** JPEG of RGB pixels; `quality` 1..100. Chroma is not subsampled, so that borders stay sharp. */
export function encodeJpeg(rgb: RgbImage, quality = 92): Promise<Buffer> {
  return raw(rgb.data, rgb.width, rgb.height, 3).jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer();
}

/** PNG of interleaved 8-bit pixels with 1 (grey), 3 (RGB) or 4 (RGBA) channels. */
export function encodePng(data: Uint8Array, width: number, height: number, channels: 1 | 3 | 4): Promise<Buffer> {
  return raw(data, width, height, channels).png().toBuffer();
}

/** The first channel of a PNG that `encodePng` made, row-major. */
export function decodeGreyPng(png: Uint8Array): Promise<Buffer> {
  return loadSharp()(png).extractChannel(0).raw({ depth: 'uchar' }).toBuffer();
}

/** The same as `encodePng`, scaled down to this size; alpha weighs the colours. */
export function shrinkPng(
  image: { readonly data: Uint8Array; readonly width: number; readonly height: number; readonly channels: 3 | 4 },
  width: number,
  height: number,
): Promise<Buffer> {
  return raw(image.data, image.width, image.height, image.channels).resize(width, height, { fit: 'fill' }).png().toBuffer();
}

function raw(data: Uint8Array, width: number, height: number, channels: 1 | 3 | 4): ReturnType<Sharp> {
  if (data.byteLength !== width * height * channels) {
    throw new AppError('internal', `${data.byteLength} bytes are not ${width} × ${height} × ${channels}.`);
  }
  return loadSharp()(data, { raw: { width, height, channels } });
}

function input(path: string, ignoreIcc = false): ReturnType<Sharp> {
  return loadSharp()(path, { failOn: 'error', limitInputPixels: false, sequentialRead: true, pages: 1, ignoreIcc });
}

function oriented(path: string, header: ImageHeader): ReturnType<Sharp> {
  return input(path, !header.cmyk).autoOrient().toColourspace('srgb').removeAlpha().timeout({ seconds: TIMEOUT_SECONDS });
}

function bits(depth: string | undefined): number {
  if (depth === 'ushort' || depth === 'short') return 16;
  return depth === undefined || depth === 'uchar' || depth === 'char' ? 8 : 32;
}

function refusal(path: string, reason: string, cause?: unknown): AppError {
  return new AppError('unsupported', `${basename(path)}: ${reason}.`, { path, reason }, cause);
}

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw await explain(path, thrown);
  }
}

/** Turns what sharp or the file system said into a reason for people. */
async function explain(path: string, thrown: unknown): Promise<AppError> {
  if (thrown instanceof AppError) return thrown;
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  const start = await firstBytes(path);
  if (start instanceof AppError) return start;
  if (start.length === 0) return refusal(path, 'the file is empty', thrown);
  if (/timeout/i.test(said)) return refusal(path, `decoding took more than ${TIMEOUT_SECONDS} s`, thrown);
  if (/unsupported image format|unable to find|not a known file format/i.test(said)) {
    const kind = otherKind(start);
    return refusal(path, kind ? `${kind} is not read` : 'it is not an image, or its start is damaged', thrown);
  }
  const line = lastComplaint(said, path);
  if (/premature|truncat|unexpected end|eof|out of order read|not enough data|too short|ran out/i.test(said)) {
    return refusal(path, `the file is cut off (${line})`, thrown);
  }
  return refusal(path, `the image is damaged (${line})`, thrown);
}

/** libvips answers with a log: warnings first, the error that stopped it last. */
function lastComplaint(said: string, path: string): string {
  const lines = said
    .replaceAll(path, '')
    .split('\n')
    .map((line) => line.replace(/^(?:Input file(?: has corrupt header)?:?|VipsJpeg:|\w*2vips:|:)\s*/i, '').trim())
    .map((line) => line.replace(/^(?:VipsJpeg|tiff2vips|vipspng|gifload|webp2vips|heif|:)\s*:?\s*/i, '').trim())
    .filter((line) => line.length > 0 && !line.startsWith('Defined set_get_field_type') && !line.startsWith('Warning:'));
  return lines.at(-1) ?? 'the decoder gave no reason';
}

async function firstBytes(path: string): Promise<Buffer | AppError> {
  try {
    const file = await open(path, 'r');
    try {
      const bytes = Buffer.alloc(16);
      const { bytesRead } = await file.read(bytes, 0, 16, 0);
      return bytes.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
    const reason =
      code === 'ENOENT'
        ? 'the file is not there any more'
        : code === 'EISDIR'
          ? 'it is a folder'
          : `the file cannot be read (${code || String(thrown)})`;
    return new AppError(code === 'ENOENT' ? 'not-found' : 'io', `${basename(path)}: ${reason}.`, { path, reason }, thrown);
  }
}

function otherKind(start: Buffer): string | null {
  const text = start.toString('latin1');
  if (text.startsWith('BM')) return 'BMP';
  if (text.startsWith('8BPS')) return 'a Photoshop file';
  if (text.startsWith('%PDF')) return 'PDF';
  if (text.slice(4, 8) === 'ftyp') return 'HEIC';
  if (text.startsWith('\0\0\x01\0')) return 'an icon file';
  if (/^P[1-7]\s/.test(text)) return 'PNM';
  return null;
}
