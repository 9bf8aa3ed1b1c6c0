import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { InputTensor } from './families/family.ts';
import type { Embedding, View } from './families/sam.ts';

/**
 * Embeddings kept: the last few in memory, more on the disk as half floats (8.4 MB for SAM 2), by the hash of
 * the image's file and of the model's weights and by the part of the image that they show. The disk's
 * share is bounded; what was used longest ago goes first. A file that is damaged counts as absent.
 */
export interface EmbeddingKey {
  readonly imageSha: string;
  /** Of the model's weights. */
  readonly digest: string;
  readonly view: View;
}

export interface EmbeddingFolder {
  /** Absolute. Made when something is kept there. */
  readonly path: string;
  /** Bound of all files together. */
  readonly bytes: number;
}

export interface Embeddings {
  get(key: EmbeddingKey, folder: EmbeddingFolder | null): Promise<Embedding | null>;
  has(key: EmbeddingKey, folder: EmbeddingFolder | null): Promise<boolean>;
  /**
   * `inMemory` for one that is asked for now; one that is made ahead must not push out what is in use.
   * A disk that cannot be written costs only the time to make it again.
   */
  put(key: EmbeddingKey, folder: EmbeddingFolder | null, embedding: Embedding, inMemory: boolean): Promise<void>;
  /** The views of an image that are kept. */
  views(imageSha: string, digest: string, folder: EmbeddingFolder | null): Promise<readonly View[]>;
}

/** A SAM 2 embedding is 16.8 MB in memory. */
const IN_MEMORY = 6;
const ENDING = '.emb';
const MAGIC = 'MLE1';

/** A folder as it was when it was changed last. */
interface Listing {
  readonly changedMs: number;
  readonly index: Promise<Map<string, Kept>>;
}

const TICK_MS = 100;
/** A file that is half written for longer than this was left by a crash. */
const LEFT_MS = 600_000;

interface Kept {
  readonly bytes: number;
  usedMs: number;
}

export function createEmbeddings(): Embeddings {
  /** Last used last. */
  const memory = new Map<string, { readonly key: EmbeddingKey; readonly embedding: Embedding }>();
  const listings = new Map<string, Listing>();

  /** Other processes write there too: the folder is read again when it has changed. */
  async function indexOf(folder: EmbeddingFolder): Promise<Map<string, Kept>> {
    const changedMs = await stat(folder.path).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
    const known = listings.get(folder.path);
    if (known?.changedMs === changedMs) return known.index;
    const index = readIndex(folder.path);
    // Clocks of file systems tick slowly: what changed just now may change once more at the same time.
    listings.set(folder.path, { changedMs: Date.now() - changedMs > TICK_MS ? changedMs : -1, index });
    return index;
  }

  function remember(name: string, key: EmbeddingKey, embedding: Embedding): void {
    memory.delete(name);
    memory.set(name, { key, embedding });
    for (const oldest of memory.keys()) {
      if (memory.size <= IN_MEMORY) break;
      memory.delete(oldest);
    }
  }

  async function drop(folder: EmbeddingFolder, index: Map<string, Kept>, name: string): Promise<void> {
    index.delete(name);
    await rm(join(folder.path, name), { force: true }).catch(() => undefined);
  }

  return {
    async get(key, folder) {
      const name = nameOf(key);
      const held = memory.get(name);
      if (held) {
        remember(name, key, held.embedding);
        return held.embedding;
      }
      if (!folder) return null;
      const index = await indexOf(folder);
      const kept = index.get(name);
      if (!kept) return null;
      const path = join(folder.path, name);
      const tensors = await readFile(path).then(unpack, () => null);
      if (!tensors) {
        await drop(folder, index, name);
        return null;
      }
      kept.usedMs = Date.now();
      await utimes(path, new Date(kept.usedMs), new Date(kept.usedMs)).catch(() => undefined);
      const embedding = { view: key.view, tensors };
      remember(name, key, embedding);
      return embedding;
    },

    async has(key, folder) {
      const name = nameOf(key);
      return memory.has(name) || (folder !== null && (await indexOf(folder)).has(name));
    },

    async put(key, folder, embedding, inMemory) {
      const name = nameOf(key);
      if (inMemory || !folder) remember(name, key, embedding);
      if (!folder || folder.bytes === 0) return;
      const index = await indexOf(folder);
      const bytes = pack(embedding.tensors);
      const path = join(folder.path, name);
      const partial = `${path}.${process.pid}.partial`;
      try {
        await mkdir(folder.path, { recursive: true });
        // Under another name first: half a file must not be taken for the embedding after a crash.
        await writeFile(partial, bytes);
        await rename(partial, path);
      } catch {
        await rm(partial, { force: true }).catch(() => undefined);
        return;
      }
      index.set(name, { bytes: bytes.length, usedMs: Date.now() });
      let total = [...index.values()].reduce((sum, kept) => sum + kept.bytes, 0);
      const byAge = [...index].sort(([, a], [, b]) => a.usedMs - b.usedMs);
      for (const [old, kept] of byAge) {
        if (total <= folder.bytes) break;
        total -= kept.bytes;
        await drop(folder, index, old);
      }
    },

    async views(imageSha, digest, folder) {
      const found = new Map<string, View>();
      for (const [name, { key }] of memory) if (key.imageSha === imageSha && key.digest === digest) found.set(name, key.view);
      if (folder) {
        const start = prefixOf(imageSha, digest);
        for (const name of (await indexOf(folder)).keys()) {
          const view = name.startsWith(start) ? viewOf(name.slice(start.length)) : null;
          if (view) found.set(name, view);
        }
      }
      return [...found.values()];
    },
  };
}

function prefixOf(imageSha: string, digest: string): string {
  return `${imageSha.slice(0, 32)}-${digest.slice(0, 12)}-`;
}

function nameOf({ imageSha, digest, view }: EmbeddingKey): string {
  return `${prefixOf(imageSha, digest)}${view.x}_${view.y}_${view.width}_${view.height}${ENDING}`;
}

function viewOf(rest: string): View | null {
  const [, x, y, width, height] = /^(\d+)_(\d+)_(\d+)_(\d+)\.emb$/.exec(rest) ?? [];
  return height === undefined ? null : { x: Number(x), y: Number(y), width: Number(width), height: Number(height) };
}

async function readIndex(folder: string): Promise<Map<string, Kept>> {
  const index = new Map<string, Kept>();
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (found && name.endsWith('.partial') && Date.now() - found.mtimeMs > LEFT_MS) await rm(path, { force: true }).catch(() => undefined);
    if (found && name.endsWith(ENDING)) index.set(name, { bytes: found.size, usedMs: found.mtimeMs });
  }
  return index;
}

/** `MLE1`, CRC-32 of the rest, length of the JSON, the JSON (names and sizes), then half floats in that order. */
function pack(tensors: Embedding['tensors']): Buffer {
  const entries = Object.entries(tensors);
  const text = JSON.stringify(entries.map(([key, { dims }]) => [key, dims]));
  const head = Buffer.from(text.padEnd(Math.ceil(text.length / 4) * 4));
  const values = entries.reduce((sum, [, { data }]) => sum + data.length, 0);
  const bytes = Buffer.alloc(12 + head.length + 2 * values);
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUInt32LE(head.length, 8);
  head.copy(bytes, 12);
  const halves = new Float16Array(bytes.buffer, bytes.byteOffset + 12 + head.length, values);
  let at = 0;
  for (const [, { data }] of entries) {
    halves.set(data, at);
    at += data.length;
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

/** Null where the file is not whole. */
function unpack(file: Buffer): Embedding['tensors'] | null {
  if (file.length < 12 || file.toString('latin1', 0, 4) !== MAGIC || file.readUInt32LE(4) !== crc32(file.subarray(8))) return null;
  // Half floats are read where they lie, so their place must be even; a file is read into memory of its own.
  const bytes = file.byteOffset % 4 === 0 ? file : Buffer.from(Uint8Array.from(file).buffer);
  const length = bytes.readUInt32LE(8);
  const listed: unknown = JSON.parse(bytes.toString('utf8', 12, 12 + length));
  if (!Array.isArray(listed)) return null;
  const tensors: Record<string, InputTensor> = {};
  let at = bytes.byteOffset + 12 + length;
  for (const entry of listed as readonly (readonly [string, readonly number[]])[]) {
    const [key, dims] = entry;
    const count = dims.reduce((product, side) => product * side, 1);
    tensors[key] = { dims, data: new Float32Array(new Float16Array(bytes.buffer, at, count)) };
    at += 2 * count;
  }
  return tensors;
}
