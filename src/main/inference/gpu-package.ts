import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/**
 * ONNX Runtime's libraries for NVIDIA GPUs come apart from its Node package: too large for a package
 * registry. Which package on which feed has them, and where inside, is in metadata that the Node package
 * brings for its own installation script; it is read from there, so that both always fit together.
 */
export interface GpuPackage {
  readonly name: string;
  /** The same as ONNX Runtime's. */
  readonly version: string;
  /** Service index of the feed (NuGet's protocol, version 3). */
  readonly index: string;
  readonly files: readonly { readonly name: string; readonly pathInPackage: string }[];
}

const metadataSchema = z.object({
  requirements: z.record(z.string(), z.array(z.string())),
  manifests: z.record(z.string(), z.record(z.string(), z.object({ package: z.string(), path: z.string() }))),
  packages: z.record(z.string(), z.object({ name: z.string(), versions: z.array(z.object({ feed: z.string(), version: z.string() })) })),
  feeds: z.record(z.string(), z.object({ type: z.literal('nuget'), index: z.url({ protocol: /^https?$/ }) })),
});
export type GpuMetadata = z.input<typeof metadataSchema>;

const require = createRequire(import.meta.url);

/** Version of the ONNX Runtime that is installed, e.g. `1.30.0`. */
export function ortVersion(): string {
  return z.object({ version: z.string() }).parse(require('onnxruntime-node/package.json')).version;
}

/** As the installed ONNX Runtime describes it. */
export function installedMetadata(): unknown {
  return require('onnxruntime-node/script/install-metadata.js');
}

/**
 * The package with the libraries of a platform, or null where nothing comes apart (Windows and macOS have
 * theirs inside). `feed` names another service index, e.g. a company's mirror.
 * @throws Error when the metadata is of another shape, or contradicts itself.
 */
export function gpuPackage(metadata: unknown, platform: string, arch: string, feed?: string): GpuPackage | null {
  const { requirements, manifests, packages, feeds } = metadataSchema.parse(metadata);
  const place = `${platform}/${arch}`;
  const [variant] = requirements[place] ?? [];
  if (variant === undefined) return null;
  const manifest = manifests[`${place}:${variant}`];
  const [packageKey] = Object.values(manifest ?? {}).map((file) => file.package);
  const found = packageKey === undefined ? undefined : packages[packageKey];
  const source = found?.versions[0];
  const index = feed ?? (source === undefined ? undefined : feeds[source.feed]?.index);
  if (manifest === undefined || found === undefined || source === undefined || index === undefined) {
    throw new Error(`ONNX Runtime's own metadata names "${variant}" for ${place}, but not where it is.`);
  }
  const files = Object.entries(manifest).map(([name, { path }]) => ({ name: name.replace(/^\.\//, ''), pathInPackage: path }));
  return { name: found.name, version: source.version, index, files };
}

/** Absolute path of the library of ONNX Runtime itself on Linux; null where it is not. */
export function ortLibrary(platform: string = process.platform, arch: string = process.arch): string | null {
  const bin = join(dirname(require.resolve('onnxruntime-node/package.json')), 'bin').replace(/([\\/]app\.asar)([\\/])/, '$1.unpacked$2');
  if (!existsSync(bin)) return null;
  for (const api of readdirSync(bin)) {
    const file = join(bin, api, platform, arch, 'libonnxruntime.so.1');
    if (existsSync(file)) return file;
  }
  return null;
}

/** What `installed.json` beside the libraries says. */
export const INSTALLED = 'installed.json';

/** Where a version's libraries lie. */
export function versionFolder(folder: string, version: string): string {
  return join(folder, version);
}

/** Where its package is downloaded to; what broke off stays there. */
export function packagePart(folder: string, { name, version }: Pick<GpuPackage, 'name' | 'version'>): string {
  return join(folder, `${name.toLowerCase()}.${version}.nupkg.part`);
}
