import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddingFolder, EmbeddingKey } from './embeddings.ts';
import { createEmbeddings } from './embeddings.ts';
import type { Embedding, View } from './families/sam.ts';

const WHOLE: View = { x: 0, y: 0, width: 64, height: 48 };
/** Of an embedding below: its header and 1,000 half floats. */
const BYTES = 2100;

let root = '';
let path = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'maskloop-embeddings-'));
  path = join(root, 'embeddings');
});
afterEach(() => rm(root, { recursive: true, force: true }));

function key(image: string, view = WHOLE): EmbeddingKey {
  return { imageSha: image.repeat(64), digest: 'd'.repeat(64), view };
}

function embedding(value: number, view = WHOLE): Embedding {
  return { view, tensors: { embedding: { dims: [1, 10, 10, 10], data: new Float32Array(1000).fill(value) } } };
}

describe('kept embeddings', () => {
  it('are found again by another start, to half precision', async () => {
    const folder: EmbeddingFolder = { path, bytes: 1e6 };
    await createEmbeddings().put(key('a'), folder, embedding(0.1), true);
    const again = createEmbeddings();
    expect(await again.has(key('a'), folder)).toBe(true);
    const found = await again.get(key('a'), folder);
    expect(found?.tensors['embedding']?.dims).toEqual([1, 10, 10, 10]);
    expect(found?.tensors['embedding']?.data[500]).toBeCloseTo(0.1, 3);
    expect(await again.get({ ...key('a'), digest: 'e'.repeat(64) }, folder)).toBeNull();
    expect(await again.get(key('b'), folder)).toBeNull();
  });

  it('are listed by the parts of an image', async () => {
    const folder: EmbeddingFolder = { path, bytes: 1e6 };
    const part = { x: 8, y: 4, width: 20, height: 20 };
    await createEmbeddings().put(key('a', part), folder, embedding(1, part), true);
    const again = createEmbeddings();
    expect(await again.views(key('a').imageSha, key('a').digest, folder)).toEqual([part]);
    expect(await again.views(key('b').imageSha, key('a').digest, folder)).toEqual([]);
  });

  it('go by age of their last use when there is no more room', async () => {
    const folder: EmbeddingFolder = { path, bytes: 3 * BYTES };
    const embeddings = createEmbeddings();
    for (const [i, image] of ['a', 'b', 'c'].entries()) {
      await embeddings.put(key(image), folder, embedding(i), false);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await embeddings.get(key('a'), folder);
    await embeddings.put(key('f'), folder, embedding(9), false);
    const left = await readdir(path);
    expect(left.map((name) => name[0]).sort()).toEqual(['a', 'c', 'f']);
  });

  it('are made anew where a file is cut off, and half-written ones are swept away', async () => {
    const folder: EmbeddingFolder = { path, bytes: 1e6 };
    await createEmbeddings().put(key('a'), folder, embedding(1), false);
    const [name = ''] = await readdir(path);
    await writeFile(join(path, name), 'MLE1 and no more');
    const partial = join(path, `${name}.partial`);
    await writeFile(partial, 'half');
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(partial, longAgo, longAgo);
    const again = createEmbeddings();
    expect(await again.get(key('a'), folder)).toBeNull();
    expect(await readdir(path)).toEqual([]);
  });

  it('stay in memory where the disk keeps none', async () => {
    const embeddings = createEmbeddings();
    await embeddings.put(key('a'), null, embedding(1), true);
    expect(await embeddings.get(key('a'), null)).not.toBeNull();
    for (let i = 0; i < 8; i++) await embeddings.put(key(String(i)), null, embedding(1), true);
    expect(await embeddings.get(key('a'), null)).toBeNull();
  });
});
