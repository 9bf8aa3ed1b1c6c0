import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32, deflateRawSync } from 'node:zlib';

/** A feed of packages on this machine, as NuGet's protocol has it, with one package that a test made up. */
export interface PackageFeed {
  /** Address of the service index. */
  readonly index: string;
  readonly package: Buffer;
  /** `Range` of every request for the package, in order; an empty string where there was none. */
  readonly ranges: readonly string[];
  /** Answers the next requests for the package instead; null: as it should be. */
  answer: ((request: IncomingMessage, response: ServerResponse, body: Buffer) => void) | null;
  /** What the catalog says; the truth where it is null. */
  sha512: string | null;
  close(): Promise<void>;
}

export async function startPackageFeed(name: string, version: string, files: Readonly<Record<string, Buffer>>): Promise<PackageFeed> {
  const body = zipOf(files);
  const ranges: string[] = [];
  let base = '';
  const id = name.toLowerCase();
  const state = { answer: null as PackageFeed['answer'], sha512: null as string | null };
  const server = createServer((request, response) => {
    const json = (value: unknown): void => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(value));
    };
    if (request.url === '/index.json') {
      json({
        version: '3.0.0',
        resources: [
          { '@id': `${base}/content/`, '@type': 'PackageBaseAddress/3.0.0' },
          { '@id': `${base}/registration/`, '@type': 'RegistrationsBaseUrl/3.6.0' },
        ],
      });
    } else if (request.url === `/registration/${id}/${version}.json`) {
      json({ catalogEntry: `${base}/catalog/entry.json`, packageContent: `${base}/content/${id}.${version}.nupkg`, listed: true });
    } else if (request.url === '/catalog/entry.json') {
      const packageHash = state.sha512 ?? createHash('sha512').update(body).digest('base64');
      json({ id: name, version, packageHash, packageHashAlgorithm: 'SHA512', packageSize: body.length });
    } else if (request.url === `/content/${id}.${version}.nupkg`) {
      ranges.push(request.headers.range ?? '');
      if (state.answer === null) sendRange(request, response, body);
      else state.answer(request, response, body);
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(state, {
    index: `${base}/index.json`,
    package: body,
    ranges,
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

/** The whole body, or what a `Range` asks for. */
export function sendRange(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from > 0) {
    response.statusCode = 206;
    response.setHeader('content-range', `bytes ${from}-${body.length - 1}/${body.length}`);
  }
  response.setHeader('content-length', body.length - from);
  response.end(body.subarray(from));
}

/** A zip file (deflated), without its optional parts. */
export function zipOf(files: Readonly<Record<string, Buffer>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [path, data] of Object.entries(files)) {
    const name = Buffer.from(path);
    const packed = deflateRawSync(data);
    const sizes = Buffer.alloc(26);
    sizes.writeUInt16LE(20, 0);
    sizes.writeUInt16LE(8, 4);
    sizes.writeUInt32LE(crc32(data), 10);
    sizes.writeUInt32LE(packed.length, 14);
    sizes.writeUInt32LE(data.length, 18);
    sizes.writeUInt16LE(name.length, 22);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(20, 4);
    sizes.copy(central, 6);
    central.writeUInt32LE(offset, 42);
    directory.push(central, name);
    const local = [Buffer.from([0x50, 0x4b, 3, 4]), sizes, name, packed];
    parts.push(...local);
    offset += local.reduce((sum, part) => sum + part.length, 0);
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 8);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, listed, end]);
}
