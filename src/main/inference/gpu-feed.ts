import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import { messageOf, useProxyOfEnvironment } from './fetch-url.ts';

/** A package as its feed describes it. */
export interface FeedPackage {
  readonly url: string;
  readonly bytes: number;
  /** Of the package, base64. */
  readonly sha512: string;
}

const indexSchema = z.object({ resources: z.array(z.object({ '@id': z.string(), '@type': z.string() })) });
const leafSchema = z.object({
  packageContent: z.url({ protocol: /^https?$/ }),
  catalogEntry: z.union([z.string(), z.object({ '@id': z.string() })]),
});
const entrySchema = z.object({
  packageSize: z.number().int().positive(),
  packageHash: z.string().regex(/^[A-Za-z0-9+/]{86}==$/),
  packageHashAlgorithm: z.literal('SHA512'),
});

/** Of the registrations, those that hold every kind of version come first. */
const REGISTRATIONS = [
  'RegistrationsBaseUrl/3.6.0',
  'RegistrationsBaseUrl/Versioned',
  'RegistrationsBaseUrl/3.4.0',
  'RegistrationsBaseUrl',
];
const ANSWER_MS = 30_000;

/**
 * Finds a package on a feed that speaks NuGet's protocol, version 3: the service index names the
 * registrations, the version's leaf there its content and its catalog entry, and that one size and hash.
 * @throws AppError `io` naming the address that did not answer, or answered otherwise.
 * @see https://learn.microsoft.com/nuget/api/registration-base-url-resource
 */
export async function findOnFeed(index: string, name: string, version: string, signal: AbortSignal): Promise<FeedPackage> {
  const restoreProxy = useProxyOfEnvironment();
  try {
    const { resources } = await ask(index, indexSchema, signal);
    const registrations = REGISTRATIONS.map((type) => resources.find((resource) => resource['@type'] === type)?.['@id']).find(
      (found) => found !== undefined,
    );
    if (registrations === undefined) throw new AppError('io', `${index} names no registrations of packages.`, { url: index });
    const base = registrations.endsWith('/') ? registrations : `${registrations}/`;
    const leaf = await ask(`${base}${name.toLowerCase()}/${version.toLowerCase()}.json`, leafSchema, signal);
    const entryUrl = typeof leaf.catalogEntry === 'string' ? leaf.catalogEntry : leaf.catalogEntry['@id'];
    const entry = await ask(entryUrl, entrySchema, signal);
    return { url: leaf.packageContent, bytes: entry.packageSize, sha512: entry.packageHash };
  } finally {
    restoreProxy();
  }
}

async function ask<S extends z.ZodType>(url: string, schema: S, signal: AbortSignal): Promise<z.output<S>> {
  let answer: unknown;
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]) });
    if (!response.ok) throw new AppError('io', `${url} answered ${response.status} ${response.statusText}`.trim() + '.', { url });
    answer = await response.json();
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof AppError) throw thrown;
    throw new AppError(
      'io',
      `${url} cannot be reached (${messageOf(thrown)}). Check the connection and the proxy settings.`,
      { url },
      thrown,
    );
  }
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new AppError(
    'io',
    `${url} answered with something else than was asked for (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}).`,
    {
      url,
    },
  );
}
