/** A whole number below 2^52 from JSON values: equal for equal ones, and for hardly any others. */
export function contentHash(...values: readonly unknown[]): number {
  a = 0x811c9dc5;
  b = 0x9e3779b1;
  for (const value of values) mix(value);
  return (a >>> 0) * 0x10_0000 + ((b >>> 0) & 0xf_ffff);
}

let a = 0;
let b = 0;
const double = new Float64Array(1);
const words = new Int32Array(double.buffer);

function mixNumber(value: number): void {
  double[0] = value;
  const low = words[0] ?? 0;
  const high = words[1] ?? 0;
  // Two sums of both halves by FNV's prime and Murmur's multipliers.
  a = Math.imul(a ^ low, 0x01000193) + Math.imul(high, 0x85ebca6b);
  b = Math.imul(b ^ high, 0x27d4eb2f) + low;
  b ^= b >>> 13;
}

/** What is no number: no number has these halves. */
function mixKind(kind: number, value: number): void {
  a = Math.imul(a ^ (0x7ff80000 + kind), 0x01000193) + value;
  b = Math.imul(b ^ value, 0x27d4eb2f) + kind;
}

function mix(value: unknown): void {
  if (typeof value === 'number') mixNumber(value);
  else if (Array.isArray(value)) {
    const items: unknown[] = value;
    mixKind(1, items.length);
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      if (typeof item === 'number') mixNumber(item);
      else mix(item);
    }
  } else if (typeof value === 'string') {
    mixKind(2, value.length);
    for (let i = 0; i < value.length; i++) mixNumber(value.charCodeAt(i));
  } else if (typeof value === 'object' && value !== null) {
    mixKind(3, 0);
    for (const [key, item] of Object.entries(value)) {
      mix(key);
      mix(item);
    }
  } else mixKind(4, value === true ? 1 : value === false ? 2 : 3);
}
