import type { StagedInstance } from './staged-rows.ts';

/**
 * Rows of instances on their way to another thread, in memory that both see: a message with as many values and strings costs as much
 * as putting them into the file does, and its garbage more.
 */
export interface InstanceSlot {
  /** Numbers of each row, one after the other; NaN is null. */
  readonly numbers: Float64Array;
  /** Texts of all rows, UTF-8, one after the other. */
  readonly bytes: Uint8Array;
}

/** key, image, category, number, crowd, form, area, x, y, width, height; then the bytes of the geometry and of the text, NaN for none. */
const NUMBERS = 13;
/** Rows and bytes of a slot; a row whose text is larger does not fit into any. */
const ROWS = 2048;
const BYTES = 1 << 21;

export function createSlots(count: number): InstanceSlot[] {
  return Array.from({ length: count }, () => ({
    numbers: new Float64Array(new SharedArrayBuffer(ROWS * NUMBERS * 8)),
    bytes: new Uint8Array(new SharedArrayBuffer(BYTES)),
  }));
}

export interface SlotWriter {
  readonly rows: number;
  /** False where the row has no room, and nothing was written. */
  write(row: StagedInstance): boolean;
}

/** Fills a slot from its beginning. */
export function slotWriter({ numbers, bytes }: InstanceSlot): SlotWriter {
  const encoder = new TextEncoder();
  let rows = 0;
  let used = 0;

  /** Where the text ends, or -1 where it has no room. */
  function text(value: string | null, from: number): number {
    if (value === null) return from;
    // A character is three bytes at most.
    if (value.length > bytes.length - from) return -1;
    const { read, written } = encoder.encodeInto(value, bytes.subarray(from));
    return read === value.length ? from + written : -1;
  }

  return {
    get rows() {
      return rows;
    },
    write([key, image, category, number, crowd, form, geometry, area, x, y, width, height, source]) {
      if (rows === ROWS) return false;
      const middle = text(geometry, used);
      const end = middle < 0 ? -1 : text(source, middle);
      if (end < 0) return false;
      let at = rows * NUMBERS;
      numbers[at++] = key;
      numbers[at++] = image;
      numbers[at++] = category;
      numbers[at++] = number ?? NaN;
      numbers[at++] = crowd;
      numbers[at++] = form;
      numbers[at++] = area ?? NaN;
      numbers[at++] = x ?? NaN;
      numbers[at++] = y ?? NaN;
      numbers[at++] = width ?? NaN;
      numbers[at++] = height ?? NaN;
      numbers[at++] = geometry === null ? NaN : middle - used;
      numbers[at] = source === null ? NaN : end - middle;
      used = end;
      rows++;
      return true;
    },
  };
}

/** The rows of a slot, in their order. */
export function* slotRows({ numbers, bytes }: InstanceSlot, rows: number): Generator<StagedInstance> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let used = 0;
  const text = (length: number): string | null => {
    if (Number.isNaN(length)) return null;
    used += length;
    return buffer.toString('utf8', used - length, used);
  };
  for (let row = 0; row < rows; row++) {
    const at = row * NUMBERS;
    const one = (i: number): number => numbers[at + i] ?? NaN;
    const optional = (i: number): number | null => (Number.isNaN(one(i)) ? null : one(i));
    const geometry = text(one(11));
    const source = text(one(12));
    const measure = [optional(6), optional(7), optional(8), optional(9), optional(10)] as const;
    yield [one(0), one(1), one(2), optional(3), one(4), one(5), geometry, ...measure, source];
  }
}
