import { open, mkdir, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

/**
 * A dataset in the shape of COCO's `instances_train2017.json`: as many images and annotations, as long records, polygons
 * with two decimals, one crowd in a hundred as uncompressed runs, annotations that are not grouped by image. The same
 * arguments give the same bytes. Of our own making: no photo or annotation of COCO is in it.
 */
export interface ScaleShape {
  readonly images: number;
  readonly annotations: number;
}

/** `times` 1 is train2017. */
export function scaleShape(times: number): ScaleShape {
  return { images: Math.round(118_000 * times), annotations: Math.round(860_000 * times) };
}

/** Ids of categories as COCO has them: 80 of 1 to 90. */
export const SCALE_CATEGORIES = Array.from({ length: 90 }, (_, i) => i + 1).filter(
  (id) => ![12, 26, 29, 30, 45, 66, 68, 69, 71, 83].includes(id),
);
const SIZES = [
  [640, 480],
  [480, 640],
  [640, 427],
  [640, 426],
  [500, 375],
  [427, 640],
] as const;
/** A prime: multiples of another number go through all ids below it, each once. */
const IDS = 2_000_003;

/** A small, good enough generator (mulberry32), 0..1. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function imageIdOf(index: number): number {
  return 1 + ((index * 7919) % (IDS - 1));
}

export function imageNameOf(index: number): string {
  return `${String(imageIdOf(index)).padStart(12, '0')}.png`;
}

export function imageSizeOf(index: number): readonly [width: number, height: number] {
  return SIZES[index % SIZES.length] ?? [640, 480];
}

/** Writes text in pieces of a few megabytes. */
async function inPieces(path: string, texts: Iterable<string>): Promise<void> {
  const handle: FileHandle = await open(path, 'w');
  try {
    let held: string[] = [];
    let length = 0;
    for (const text of texts) {
      held.push(text);
      length += text.length;
      if (length < 4_000_000) continue;
      await handle.appendFile(held.join(''));
      held = [];
      length = 0;
    }
    await handle.appendFile(held.join(''));
  } finally {
    await handle.close();
  }
}

export function writeScaleDataset(path: string, shape: ScaleShape): Promise<void> {
  return inPieces(path, dataset(shape));
}

function* dataset({ images, annotations }: ScaleShape): Generator<string> {
  yield '{"info": {"description": "Maskloop scale bench", "url": "", "version": "1.0", "year": 2017, "contributor": "", "date_created": "2017/09/01"}, ';
  yield '"licenses": [{"url": "http://creativecommons.org/licenses/by-nc-sa/2.0/", "id": 1, "name": "Attribution-NonCommercial-ShareAlike License"}], "images": [';
  for (let i = 0; i < images; i++) {
    const [width, height] = imageSizeOf(i);
    const name = imageNameOf(i);
    yield `${i === 0 ? '' : ', '}{"license": ${1 + (i % 8)}, "file_name": "${name}", "coco_url": "http://images.example.org/train2017/${name}", "height": ${height}, "width": ${width}, "date_captured": "2013-11-${String(1 + (i % 28)).padStart(2, '0')} 17:05:08", "flickr_url": "http://farm${1 + (i % 9)}.staticflickr.example.org/${1000 + (i % 9000)}/${imageIdOf(i)}_z.jpg", "id": ${imageIdOf(i)}}`;
  }
  yield '], "annotations": [';
  for (let i = 0; i < annotations; i++) yield (i === 0 ? '' : ', ') + annotation(i, images);
  yield '], "categories": [';
  yield SCALE_CATEGORIES.map((id) => `{"supercategory": "thing", "id": ${id}, "name": "class ${id}"}`).join(', ');
  yield ']}';
}

/** Which image an annotation lies on: neighbours in the file are far apart in the folder. */
function imageOf(index: number, images: number): number {
  return (index * 104_729) % images;
}

function annotation(i: number, images: number): string {
  const random = randomFrom(i * 2 + 1);
  const image = imageOf(i, images);
  const [width, height] = imageSizeOf(image);
  const category = SCALE_CATEGORIES[Math.floor(random() ** 2 * SCALE_CATEGORIES.length)] ?? 1;
  const id = i + 1;
  if (i % 100 === 99) return crowd(id, image, category, width, height, random);
  const points = 7 + Math.floor(random() ** 2 * 46);
  const radius = 4 + random() ** 3 * 120;
  const cx = radius + random() * Math.max(1, width - 2 * radius);
  const cy = radius + random() * Math.max(1, height - 2 * radius);
  const numbers: number[] = [];
  for (let k = 0; k < points; k++) {
    const angle = (k / points) * 2 * Math.PI;
    const r = radius * (0.7 + 0.3 * random());
    numbers.push(
      round(Math.min(width, Math.max(0, cx + r * Math.cos(angle)))),
      round(Math.min(height, Math.max(0, cy + r * Math.sin(angle)))),
    );
  }
  let area = 0;
  let [x0, y0, x1, y1] = [Infinity, Infinity, 0, 0];
  for (let k = 0; k < points; k++) {
    const x = numbers[2 * k] ?? 0;
    const y = numbers[2 * k + 1] ?? 0;
    const next = (k + 1) % points;
    area += x * (numbers[2 * next + 1] ?? 0) - (numbers[2 * next] ?? 0) * y;
    [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
  }
  const box = [x0, y0, round(x1 - x0), round(y1 - y0)].map(decimal).join(', ');
  return `{"segmentation": [[${numbers.map(decimal).join(', ')}]], "area": ${Math.abs(area / 2)}, "iscrowd": 0, "image_id": ${imageIdOf(image)}, "bbox": [${box}], "category_id": ${category}, "id": ${id}}`;
}

function crowd(id: number, image: number, category: number, width: number, height: number, random: () => number): string {
  const counts: number[] = [];
  let left = width * height;
  let area = 0;
  const first = Math.floor(random() * width * 0.5) * height;
  counts.push(first);
  left -= first;
  for (let k = 0; k < 120 && left > height; k++) {
    const run = 1 + Math.floor(random() * (height / 3));
    const gap = height - run;
    counts.push(run, gap);
    area += run;
    left -= height;
  }
  counts[counts.length - 1] = (counts.at(-1) ?? 0) + left;
  const box = `${Math.floor(first / height)}, 0, ${(counts.length - 1) / 2}, ${height}`;
  return `{"segmentation": {"counts": [${counts.join(', ')}], "size": [${height}, ${width}]}, "area": ${area}, "iscrowd": 1, "image_id": ${imageIdOf(image)}, "bbox": [${box}], "category_id": ${category}, "id": ${900_000_000_000 + id}}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** As Python writes floats: never without a decimal. */
function decimal(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** Detections for it, as boxes with scores: one for nearly every annotation that is no crowd, and some that are wrong. */
export function writeScaleResults(path: string, { images, annotations }: ScaleShape): Promise<void> {
  return inPieces(path, results(images, annotations));
}

function* results(images: number, annotations: number): Generator<string> {
  yield '[';
  for (let i = 0; i < annotations; i++) {
    const random = randomFrom(i * 2 + 2);
    const truth = /"image_id": (\d+), "bbox": \[([^\]]+)\], "category_id": (\d+)/.exec(annotation(i, images));
    const [x = 0, y = 0, w = 0, h = 0] = (truth?.[2] ?? '').split(', ').map(Number);
    const moved = [x + w * 0.3 * (random() - 0.5), y + h * 0.3 * (random() - 0.5), w * (0.8 + 0.4 * random()), h * (0.8 + 0.4 * random())];
    const category = random() < 0.9 ? (truth?.[3] ?? '1') : String(SCALE_CATEGORIES[Math.floor(random() * SCALE_CATEGORIES.length)] ?? 1);
    const score = (0.05 + 0.95 * random()).toFixed(4);
    yield `${i === 0 ? '' : ', '}{"image_id": ${truth?.[1] ?? '1'}, "category_id": ${category}, "bbox": [${moved.map((side) => side.toFixed(2)).join(', ')}], "score": ${score}}`;
  }
  yield ']';
}

/** The image files: valid PNGs of one grey, each of its own content, a few hundred bytes. */
export async function writeScaleImages(folder: string, images: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const bodies = new Map<string, { readonly head: Buffer; readonly tail: Buffer }>();
  let batch: Promise<void>[] = [];
  for (let i = 0; i < images; i++) {
    const [width, height] = imageSizeOf(i);
    const key = `${width}x${height}`;
    let body = bodies.get(key);
    if (!body) {
      const header = Buffer.alloc(13);
      header.writeUInt32BE(width, 0);
      header.writeUInt32BE(height, 4);
      // One bit a pixel, grey.
      header.set([1, 0, 0, 0, 0], 8);
      const data = deflateSync(Buffer.alloc((1 + Math.ceil(width / 8)) * height));
      body = {
        head: Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk('IHDR', header)]),
        tail: Buffer.concat([chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]),
      };
      bodies.set(key, body);
    }
    const name = Buffer.from(`Title\0image ${i}`, 'latin1');
    batch.push(writeFile(join(folder, imageNameOf(i)), Buffer.concat([body.head, chunk('tEXt', name), body.tail])));
    if (batch.length < 64) continue;
    await Promise.all(batch);
    batch = [];
  }
  await Promise.all(batch);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}
