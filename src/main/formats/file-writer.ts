import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';

/** Text that is held before it goes to the disk, in characters. */
const HELD = 1 << 19;

/** Writes text to a new file in pieces, so that a file of any size is made with little memory. */
export interface FileWriter {
  write(text: string): Promise<void>;
  /** Appends the whole of another file. */
  append(path: string): Promise<void>;
  /** Everything is on the disk (fsync) and the file closed when this resolves. */
  finish(): Promise<void>;
  /** Closes the file without care for its content. Safe after `finish`. */
  abandon(): Promise<void>;
}

/** Throws Node's error (EEXIST where the file is there already). */
export async function createFileWriter(path: string): Promise<FileWriter> {
  const handle: FileHandle = await open(path, 'wx');
  let pieces: string[] = [];
  let held = 0;
  let closed = false;
  const flush = async (): Promise<void> => {
    if (held === 0) return;
    const text = pieces.join('');
    pieces = [];
    held = 0;
    await handle.appendFile(text, 'utf8');
  };
  return {
    async write(text) {
      pieces.push(text);
      held += text.length;
      if (held >= HELD) await flush();
    },
    async append(from) {
      await flush();
      const source = await open(from, 'r');
      try {
        for await (const chunk of source.createReadStream({ autoClose: false })) await handle.appendFile(chunk as Buffer);
      } finally {
        await source.close();
      }
    },
    async finish() {
      await flush();
      await handle.sync();
      await handle.close();
      closed = true;
    },
    async abandon() {
      if (closed) return;
      closed = true;
      await handle.close();
    },
  };
}
