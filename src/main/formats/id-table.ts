/**
 * Whole numbers from ids, for files of millions of records: 12 bytes a place, with open addressing; ids that are no safe
 * integers are kept as text beside it. An id that is text is another id than the number of the same digits.
 */
export interface IdTable {
  /** The value of an id, or -1. */
  get(id: RecordId): number;
  /** Keeps a value (0 to 2^31 - 1) unless the id is there; answers with the value that is there then. */
  add(id: RecordId, value: number): number;
  readonly size: number;
}

/** A safe integer; or `s` and a text, or `n` and the digits of a number that is none. */
export type RecordId = number | string;

const EMPTY = -1;

export function createIdTable(): IdTable {
  let capacity = 1024;
  let keys = new Float64Array(capacity);
  let values = new Int32Array(capacity).fill(EMPTY);
  let used = 0;
  const others = new Map<string, number>();

  /** Where a number is, or where it would go. */
  function place(id: number): number {
    // Multiplicative hashing of both halves (Knuth, TAOCP 3, 6.4); ids are often multiples or runs.
    const mixed = Math.imul(id | 0, 0x9e3779b1) ^ Math.imul(Math.floor(id / 0x1_0000_0000) | 0, 0x85ebca6b);
    let at = (mixed ^ (mixed >>> 15)) & (capacity - 1);
    while (values[at] !== EMPTY && keys[at] !== id) at = (at + 1) & (capacity - 1);
    return at;
  }

  function grow(): void {
    const [oldKeys, oldValues] = [keys, values];
    capacity *= 2;
    keys = new Float64Array(capacity);
    values = new Int32Array(capacity).fill(EMPTY);
    for (let i = 0; i < oldKeys.length; i++) {
      const value = oldValues[i] ?? EMPTY;
      if (value === EMPTY) continue;
      const id = oldKeys[i] ?? 0;
      const at = place(id);
      keys[at] = id;
      values[at] = value;
    }
  }

  return {
    get(id) {
      return typeof id === 'number' ? (values[place(id)] ?? EMPTY) : (others.get(id) ?? EMPTY);
    },
    add(id, value) {
      if (typeof id !== 'number') {
        const known = others.get(id);
        if (known === undefined) others.set(id, value);
        return known ?? value;
      }
      const at = place(id);
      const known = values[at] ?? EMPTY;
      if (known !== EMPTY) return known;
      keys[at] = id;
      values[at] = value;
      if (++used * 4 > capacity * 3) grow();
      return value;
    },
    get size() {
      return used + others.size;
    },
  };
}

/** A list of whole numbers (0 to 2^31 - 1) that grows, 4 bytes each. */
export interface IntList {
  push(value: number): void;
  at(index: number): number;
  readonly length: number;
}

export function createIntList(): IntList {
  let items = new Int32Array(1024);
  let length = 0;
  return {
    push(value) {
      if (length === items.length) {
        const larger = new Int32Array(items.length * 2);
        larger.set(items);
        items = larger;
      }
      items[length++] = value;
    },
    at: (index) => items[index] ?? 0,
    get length() {
      return length;
    },
  };
}
