import { writeFile } from 'node:fs/promises';
import type { Finding, Format } from '../../src/main/formats/dataset.ts';
import { FINDING_KINDS } from '../../src/main/formats/dataset.ts';
import { collect } from '../../src/main/formats/dataset.test-support.ts';
import { imageFiles } from '../../src/main/formats/folder.ts';
import { checkGeometry } from '../../src/main/store/geometry-check.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { Random } from '../../src/shared/scenes/random.ts';
import { mix, seededRandom } from '../../src/shared/scenes/random.ts';
import type { FuzzDataset } from './datasets.ts';
import { mutate } from './mutate.ts';

/** How one damaged dataset was taken. */
export interface FuzzOutcome {
  /** `read`: with a well-formed result; else the code of the error that refused it. */
  readonly kind: 'read' | AppError['code'];
  readonly findings: number;
  readonly ms: number;
}

/** Longest that a small damaged dataset may take, though the machine be busy. */
const MOST_MS = 10_000;

/**
 * Damages a dataset, reads it, and makes it whole again. Throws an Error that names the input's seed where the reader crashed
 * (an error that is none of ours, or a code that says we are wrong), took too long, or found something malformed.
 */
export async function fuzzOnce(format: Format, datasets: readonly FuzzDataset[], seed: number, n: number): Promise<FuzzOutcome> {
  const random = seededRandom(mix(seed, n));
  const dataset = random.pick(datasets);
  const damaged = damage(dataset, random);
  const where = `${format.id}, input ${n} of seed ${seed} (${[...damaged.keys()].map((path) => path.slice(dataset.root.length + 1)).join(', ')})`;
  for (const [path, bytes] of damaged) await writeFile(path, bytes);
  const sink = collect();
  const started = performance.now();
  let kind: FuzzOutcome['kind'] = 'read';
  try {
    // Detection looks at whatever the user chose: it never throws.
    const confidence = await format.reader.detect(dataset.place);
    if (!(confidence >= 0 && confidence <= 1)) throw new Error(`a confidence of ${confidence}`);
    await format.reader.read(dataset.place, sink, {
      images: dataset.root,
      files: imageFiles([...dataset.sizes.keys()]),
      sizeOf: (path) => Promise.resolve(dataset.sizes.get(path) ?? null),
    });
    checkWhole(sink, dataset);
  } catch (thrown) {
    if (!(thrown instanceof AppError) || !['invalid', 'io', 'unsupported'].includes(thrown.code) || thrown.message.length < 10) {
      throw new Error(`${where}: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`, { cause: thrown });
    }
    kind = thrown.code;
  } finally {
    for (const { path, bytes } of dataset.files) if (damaged.has(path)) await writeFile(path, bytes);
  }
  const ms = performance.now() - started;
  if (ms > MOST_MS) throw new Error(`${where}: took ${Math.round(ms)} ms`);
  return { kind, findings: sink.findings.length, ms };
}

function damage({ files }: FuzzDataset, random: Random): Map<string, Buffer> {
  const damaged = new Map<string, Buffer>();
  for (let times = random.integer(1, 3); times > 0; times--) {
    const file = random.pick(files);
    const other = random.pick(files);
    damaged.set(file.path, mutate(damaged.get(file.path) ?? file.bytes, random, other.bytes));
  }
  return damaged;
}

/** What was read can be staged and taken into a project: references hold, geometry fits, findings say something. */
function checkWhole({ categories, images, instances, findings }: ReturnType<typeof collect>, { sizes }: FuzzDataset): void {
  const categoryKeys = uniqueKeys(categories, 'category');
  const imageKeys = uniqueKeys(images, 'image');
  uniqueKeys(instances, 'instance');
  for (const { name } of categories) if (typeof name !== 'string') throw new Error(`a category called ${String(name)}`);
  for (const { path, width, height } of images) {
    if (path === '' || path.startsWith('/') || path.split('/').includes('..')) throw new Error(`an image at "${path}"`);
    for (const side of [width, height]) {
      if (side !== null && !(Number.isInteger(side) && side > 0)) throw new Error(`${path} is ${String(width)} by ${String(height)}`);
    }
  }
  const byKey = new Map(images.map((image) => [image.key, image]));
  for (const { key, imageKey, categoryKey, geometry } of instances) {
    if (!imageKeys.has(imageKey) || !categoryKeys.has(categoryKey)) throw new Error(`instance ${key} refers to nothing`);
    const image = byKey.get(imageKey);
    const size = image?.width && image.height ? { width: image.width, height: image.height } : sizes.get(image?.path ?? '');
    if (size) checkGeometry(`of instance ${key}`, geometry, size.width, size.height);
  }
  for (const finding of findings) checkFinding(finding);
}

function uniqueKeys(rows: readonly { readonly key: number }[], what: string): Set<number> {
  const keys = new Set<number>();
  for (const { key } of rows) {
    if (!Number.isInteger(key) || key <= 0) throw new Error(`${what} has the key ${key}`);
    if (keys.has(key)) throw new Error(`${what} ${key} is there twice`);
    keys.add(key);
  }
  return keys;
}

function checkFinding({ kind, reason, message }: Finding): void {
  if (!FINDING_KINDS.includes(kind) || !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(reason) || message === '') {
    throw new Error(`a finding without sense: ${kind} ${reason} "${message}"`);
  }
}
