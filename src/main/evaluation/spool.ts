import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Box, Rle } from '../../shared/records.ts';

/** Bytes of the two files together that one heap of the spool is made for. */
const HEAP_BYTES = 24 << 20;
const MOST_HEAPS = 512;
/** What all heaps together hold in memory before the largest goes to the disk. */
const HELD_BYTES = 48 << 20;

/** One truth or detection on its way from the file to its image. */
export interface SpooledObject {
  readonly kind: 'truth' | 'detection';
  /** Place of its image, of its category, and of itself among its kind in the file. */
  readonly image: number;
  readonly category: number;
  readonly place: number;
  readonly crowd: boolean;
  readonly counts: boolean;
  /** Of a detection. */
  readonly score: number;
  readonly area: number;
  readonly box: Box;
  /** Null where there is none. */
  readonly rle: Rle | null;
}

/**
 * Sorts objects by image without having them all in memory: they are put on heaps, each of some of the images, which lie in
 * temporary files when they are large, and are taken up again heap by heap.
 */
export interface Spool {
  put(object: SpooledObject): void;
  readonly heaps: number;
  /** Everything on one heap, in the order it was put; the heap is empty then. */
  take(heap: number): SpooledObject[];
  /** Removes the temporary files. */
  close(): void;
}

const HEAD = 76;

export function createSpool(fileBytes: number): Spool {
  const heaps = Math.min(MOST_HEAPS, Math.max(1, Math.ceil(fileBytes / HEAP_BYTES)));
  const held = Array.from({ length: heaps }, () => ({ bytes: Buffer.alloc(4096), length: 0, onDisk: false }));
  let total = 0;
  let folder: string | null = null;
  const fileOf = (heap: number): string => join((folder ??= mkdtempSync(join(tmpdir(), 'maskloop-evaluate-'))), String(heap));

  function flushLargest(): void {
    let largest = 0;
    held.forEach(({ length }, heap) => {
      if (length > (held[largest]?.length ?? 0)) largest = heap;
    });
    const heap = held[largest];
    if (!heap) return;
    appendFileSync(fileOf(largest), heap.bytes.subarray(0, heap.length));
    total -= heap.length;
    heap.length = 0;
    heap.bytes = Buffer.alloc(4096);
    heap.onDisk = true;
  }

  return {
    heaps,
    put(object) {
      const heap = held[object.image % heaps];
      if (!heap) return;
      const counts = object.rle?.counts ?? '';
      const need = heap.length + HEAD + counts.length;
      if (need > heap.bytes.length) {
        const larger = Buffer.alloc(Math.max(need, heap.bytes.length * 2));
        heap.bytes.copy(larger, 0, 0, heap.length);
        heap.bytes = larger;
      }
      write(heap.bytes, heap.length, object, counts);
      heap.length = need;
      total += HEAD + counts.length;
      if (total > HELD_BYTES && heaps > 1) flushLargest();
    },
    take(at) {
      const heap = held[at];
      if (!heap) return [];
      const own = heap.bytes.subarray(0, heap.length);
      const bytes = heap.onDisk ? Buffer.concat([readFileSync(fileOf(at)), own]) : own;
      if (heap.onDisk) rmSync(fileOf(at));
      total -= heap.length;
      held[at] = { bytes: Buffer.alloc(0), length: 0, onDisk: false };
      const objects: SpooledObject[] = [];
      for (let offset = 0; offset < bytes.length;) {
        const { object, length } = read(bytes, offset);
        objects.push(object);
        offset += length;
      }
      return objects;
    },
    close() {
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function write(bytes: Buffer, at: number, object: SpooledObject, counts: string): void {
  const { kind, image, category, place, crowd, score, area, box, rle } = object;
  bytes[at] = (kind === 'truth' ? 1 : 0) | (crowd ? 2 : 0) | (object.counts ? 4 : 0) | (rle ? 8 : 0);
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEAD);
  view.setUint32(4, image);
  view.setUint32(8, category);
  view.setUint32(12, place);
  view.setFloat64(16, score);
  view.setFloat64(24, area);
  // In double precision: a rounded box is another box.
  box.forEach((value, i) => view.setFloat64(32 + 8 * i, value));
  view.setUint32(64, rle?.size[0] ?? 0);
  view.setUint32(68, rle?.size[1] ?? 0);
  view.setUint32(72, counts.length);
  bytes.write(counts, at + HEAD, 'latin1');
}

function read(bytes: Buffer, at: number): { object: SpooledObject; length: number } {
  const flags = bytes[at] ?? 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEAD);
  const length = view.getUint32(72);
  const counts = bytes.toString('latin1', at + HEAD, at + HEAD + length);
  const object: SpooledObject = {
    kind: (flags & 1) !== 0 ? 'truth' : 'detection',
    crowd: (flags & 2) !== 0,
    counts: (flags & 4) !== 0,
    image: view.getUint32(4),
    category: view.getUint32(8),
    place: view.getUint32(12),
    score: view.getFloat64(16),
    area: view.getFloat64(24),
    box: [view.getFloat64(32), view.getFloat64(40), view.getFloat64(48), view.getFloat64(56)],
    rle: (flags & 8) !== 0 ? { size: [view.getUint32(64), view.getUint32(68)], counts } : null,
  };
  return { object, length: HEAD + length };
}
