import { open } from 'node:fs/promises';

/** Enough of a dynamic section for any library; bytes. */
const MAX_DYNAMIC = 2 ** 20;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NULL = 0n;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;

/**
 * The libraries that a 64-bit little-endian ELF file asks the loader for (`DT_NEEDED`), in its order.
 * @throws Error when the file is no such ELF.
 * @see https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html
 */
export async function neededLibraries(file: string): Promise<readonly string[]> {
  const handle = await open(file);
  const read = async (position: number, length: number): Promise<Buffer> => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  };
  try {
    const header = await read(0, 64);
    if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) {
      throw new Error(`${file} is no 64-bit ELF library.`);
    }
    const entrySize = header.readUInt16LE(54);
    const count = header.readUInt16LE(56);
    const table = await read(Number(header.readBigUInt64LE(32)), entrySize * count);
    const loads: { readonly offset: number; readonly address: number; readonly size: number }[] = [];
    let dynamic: Buffer | null = null;
    for (let at = 0; at + 56 <= table.length; at += entrySize) {
      const offset = Number(table.readBigUInt64LE(at + 8));
      const size = Number(table.readBigUInt64LE(at + 32));
      const type = table.readUInt32LE(at);
      if (type === PT_LOAD) loads.push({ offset, address: Number(table.readBigUInt64LE(at + 16)), size });
      if (type === PT_DYNAMIC) dynamic = await read(offset, Math.min(size, MAX_DYNAMIC));
    }
    if (dynamic === null) return [];
    if (dynamic.length < 16) throw new Error(`${file} ends before its dynamic section.`);
    const names: number[] = [];
    let strings = 0;
    for (let at = 0; at + 16 <= dynamic.length; at += 16) {
      const tag = dynamic.readBigInt64LE(at);
      if (tag === DT_NULL) break;
      const value = Number(dynamic.readBigUInt64LE(at + 8));
      if (tag === DT_NEEDED) names.push(value);
      if (tag === DT_STRTAB) strings = value;
    }
    // The table's place is an address; in the file it lies in the segment that is loaded there.
    const segment = loads.find(({ address, size }) => strings >= address && strings < address + size);
    if (segment === undefined) throw new Error(`${file}: its table of names is in none of its segments.`);
    const base = segment.offset + strings - segment.address;
    return await Promise.all(
      names.map(async (name) => {
        const text = await read(base + name, 256);
        const end = text.indexOf(0);
        return text.toString('utf8', 0, end < 0 ? text.length : end);
      }),
    );
  } finally {
    await handle.close();
  }
}
