/**
 * Photos that show the same, by perceptual hash: whether the brightness rises from each of 9×9 fields to the next, to the
 * right and downwards (dHash; N. Krawetz, "Kind of Like That", hackerfactor.com 2013, in both directions). It bears
 * scaling, other compression, and changes of brightness and contrast; not turning, mirroring or cutting.
 */

/** Side of the grey picture that is hashed. */
export const HASH_FIELDS = 9;
export const HASH_BYTES = 16;
/** A picture whose fields differ by less than so many of 256 grey levels is too plain to be told from another. */
const PLAIN_LEVELS = 10;

/** The hash of a grey picture of 9×9 fields, row by row; all zeros for one too plain to be compared. */
export function hashOf(grey: ArrayLike<number>): Uint8Array {
  const hash = new Uint8Array(HASH_BYTES);
  let low = 255;
  let high = 0;
  for (let i = 0; i < HASH_FIELDS * HASH_FIELDS; i++) {
    low = Math.min(low, grey[i] ?? 0);
    high = Math.max(high, grey[i] ?? 0);
  }
  if (high - low < PLAIN_LEVELS) return hash;
  let bit = 0;
  const rises = (from: number, to: number): void => {
    if ((grey[to] ?? 0) > (grey[from] ?? 0)) hash[bit >> 3] = (hash[bit >> 3] ?? 0) | (1 << (bit & 7));
    bit += 1;
  };
  for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) rises(y * HASH_FIELDS + x, y * HASH_FIELDS + x + 1);
  for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) rises(y * HASH_FIELDS + x, (y + 1) * HASH_FIELDS + x);
  return hash;
}

/**
 * Groups pictures whose hashes differ in at most `bits` of 128, and those that are linked by others. `hashes` has 16
 * bytes a picture. Answers with the lowest index of its group for each picture, and how many were too plain.
 *
 * Only pairs that agree in one of bits + 1 pieces are compared: hashes that differ in `bits` places agree in at least one
 * piece (pigeonhole, as in multi-index hashing: Norouzi, Punjani & Fleet, CVPR 2012).
 */
export function nearGroups(
  hashes: Uint8Array,
  bits: number,
  onProgress: (done: number, total: number) => void = () => undefined,
): { group: Int32Array; plain: number } {
  const count = hashes.length / HASH_BYTES;
  const words = new Uint32Array(hashes.slice().buffer);
  const group = Int32Array.from({ length: count }, (_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while ((group[at] ?? at) !== at) {
      group[at] = group[group[at] ?? at] ?? at;
      at = group[at] ?? at;
    }
    return at;
  };
  const isPlain = (i: number): boolean => !words[4 * i] && !words[4 * i + 1] && !words[4 * i + 2] && !words[4 * i + 3];
  const shown: number[] = [];
  for (let i = 0; i < count; i++) if (!isPlain(i)) shown.push(i);

  const pieces = bits + 1;
  for (let piece = 0; piece < pieces; piece++) {
    onProgress(piece, pieces);
    const from = Math.floor((piece * 128) / pieces);
    const to = Math.floor(((piece + 1) * 128) / pieces);
    const buckets = new Map<string, number[]>();
    for (const i of shown) {
      const key = pieceOf(words, i, from, to);
      const bucket = buckets.get(key);
      if (bucket) bucket.push(i);
      else buckets.set(key, [i]);
    }
    for (const bucket of buckets.values()) {
      for (let a = 0; a < bucket.length; a++) {
        const i = bucket[a] ?? 0;
        for (let b = a + 1; b < bucket.length; b++) {
          const j = bucket[b] ?? 0;
          if (isFar(words, i, j, bits)) continue;
          const [p, q] = [root(i), root(j)];
          if (p !== q) group[Math.max(p, q)] = Math.min(p, q);
        }
      }
    }
  }
  onProgress(pieces, pieces);
  for (let i = 0; i < count; i++) group[i] = root(i);
  return { group, plain: count - shown.length };
}

/** Bits [from, to) of a picture's hash. */
function pieceOf(words: Uint32Array, i: number, from: number, to: number): string {
  let key = '';
  for (let at = from; at < to;) {
    const word = at >> 5;
    const end = Math.min(to, (word + 1) << 5);
    const width = end - at;
    const value = (words[4 * i + word] ?? 0) >>> (at & 31);
    key += `${width === 32 ? value : value & (2 ** width - 1)},`;
    at = end;
  }
  return key;
}

/** Whether two hashes differ in more than so many bits; most do after half of them. */
function isFar(words: Uint32Array, i: number, j: number, bits: number): boolean {
  const a = 4 * i;
  const b = 4 * j;
  const half = ones((words[a] ?? 0) ^ (words[b] ?? 0)) + ones((words[a + 1] ?? 0) ^ (words[b + 1] ?? 0));
  if (half > bits) return true;
  return half + ones((words[a + 2] ?? 0) ^ (words[b + 2] ?? 0)) + ones((words[a + 3] ?? 0) ^ (words[b + 3] ?? 0)) > bits;
}

/** Number of ones of 32 bits (Warren, Hacker's Delight, 5-1). */
function ones(value: number): number {
  let v = value - ((value >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Bits in which two hashes of 16 bytes differ. */
export function hashDistance(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < HASH_BYTES; i++) sum += ones((a[i] ?? 0) ^ (b[i] ?? 0));
  return sum;
}
