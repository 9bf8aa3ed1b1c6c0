import { createWriteStream } from 'node:fs';
import { homedir } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { Parser } from 'tar';
import { AppError } from '../../shared/errors.ts';
import type { Transfer } from './fetch-url.ts';

export interface NpmDownload {
  /** `name@version`, or what else npm can install: a tarball's path. */
  readonly spec: string;
  /** Of the tarball. */
  readonly integrity: string;
  /** What is wanted: its path inside the package, the file that takes it, and its size. */
  readonly files: readonly { readonly path: string; readonly part: string; readonly bytes: number }[];
  readonly signal: AbortSignal;
  readonly onProgress: (transfer: Transfer) => void;
  /** npm's settings; the user's own when left out. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** Where licence and notice lie in a package. */
const LICENCE = /^(licen[cs]e|notice|copying)(\.(md|txt))?$/i;

/**
 * Takes files out of a registry package, and reads the package's licence texts. The tarball streams
 * through: it is neither kept nor put into npm's cache. There is no going on in the middle: a second
 * attempt starts anew. Progress counts the bytes of the wanted files.
 * @throws AppError `io` naming the package; the signal's reason when cancelled.
 */
export async function downloadFromPackage(download: NpmDownload): Promise<readonly LicenceText[]> {
  const { spec, integrity, signal } = download;
  // npm's libraries are large and most sessions never fetch anything.
  const { default: pacote } = await import('pacote');
  const settings = download.settings ?? (await userSettings());
  try {
    const found = await pacote.tarball.stream(spec, (stream) => extract(stream, download), {
      ...settings,
      integrity,
      cache: undefined,
      signal,
    });
    const [path] = found.missing;
    if (path !== undefined) throw new AppError('io', `The package ${spec} has no file "${path}".`, { package: spec, path });
    return found.licences;
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof AppError) throw thrown;
    throw asAppError(spec, thrown);
  }
}

export interface LicenceText {
  /** Name of the file in the package's first folder. */
  readonly name: string;
  readonly text: Buffer;
}

interface Found {
  /** Paths that the package does not have. */
  readonly missing: readonly string[];
  readonly licences: readonly LicenceText[];
}

/** More than any licence has; what is larger is something else. */
const LICENCE_BYTES = 1_000_000;

async function extract(stream: NodeJS.ReadableStream, { files, signal, onProgress }: NpmDownload): Promise<Found> {
  let received = 0;
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  // A registry does not tell a tarball's size; how much there is of the files is known.
  async function* counted(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      received += chunk.byteLength;
      onProgress({ received, total });
      yield chunk;
    }
  }
  const missing = new Map(files.map(({ path, part }) => [path, part]));
  const licences: LicenceText[] = [];
  const writing: Promise<void>[] = [];
  const parser = new Parser({
    strict: true,
    onReadEntry(entry) {
      // The first folder is `package/` by custom only.
      const name = entry.path.replace(/^[^/]+\//, '');
      const part = missing.get(name);
      const isLicence = LICENCE.test(name) && entry.size <= LICENCE_BYTES;
      if (entry.type !== 'File' || (part === undefined && !isLicence)) {
        entry.resume();
        return;
      }
      missing.delete(name);
      const taken =
        part !== undefined
          ? pipeline(entry, counted, createWriteStream(part))
          : entry.concat().then((text) => void licences.push({ name, text }));
      // Awaited below; until then a failure must not count as nobody's.
      taken.catch((thrown: unknown) => parser.abort(thrown instanceof Error ? thrown : new Error(String(thrown))));
      writing.push(taken);
    },
  });
  await new Promise<void>((resolve, reject) => {
    const cancel = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('cancelled'));
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    stream.on('error', reject);
    parser.on('error', reject);
    parser.on('end', resolve);
    stream.pipe(parser);
  });
  await Promise.all(writing);
  return { missing: [...missing.keys()], licences };
}

/** Registry, proxies, certificates and credentials as the user's npm has them: files and environment. */
async function userSettings(): Promise<Readonly<Record<string, unknown>>> {
  const [{ default: Config }, { default: definitions }] = await Promise.all([
    import('@npmcli/config'),
    import('@npmcli/config/lib/definitions/index.js'),
  ]);
  // It writes into the environment it is given, and looks for a project around the working folder.
  const config = new Config({ ...definitions, npmPath: homedir(), cwd: homedir(), argv: [], env: { ...process.env }, warn: false });
  await config.load();
  return config.flat;
}

function asAppError(spec: string, thrown: unknown): AppError {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  if (code === 'EINTEGRITY') {
    return new AppError(
      'io',
      `The package ${spec} is damaged or another one: its integrity is not what the manifest says.`,
      { package: spec },
      thrown,
    );
  }
  if (code === 'E404' || code === 'ETARGET') {
    return new AppError('io', `The registry in your npm settings has no package ${spec} (${code}).`, { package: spec }, thrown);
  }
  return new AppError(
    'io',
    `The package ${spec} cannot be fetched through the registry in your npm settings (${said}).`,
    { package: spec },
    thrown,
  );
}
