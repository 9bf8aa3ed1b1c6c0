import type { FindingCount } from '../shared/calls/formats.ts';
import { LISTED_FINDINGS } from '../shared/calls/formats.ts';
import { AppError } from '../shared/errors.ts';
import type { Finding } from '../shared/formats.ts';

/** Findings of an export: all of them counted, the first of them kept. */
export function createFindings(): {
  readonly tell: (finding: Finding) => void;
  counts(): FindingCount[];
  listed(): readonly Finding[];
} {
  const listed: Finding[] = [];
  const counts = new Map<string, FindingCount>();
  return {
    tell(finding) {
      if (listed.length < LISTED_FINDINGS) listed.push(finding);
      const { kind, reason } = finding;
      const key = `${kind} ${reason}`;
      counts.set(key, { kind, reason, count: (counts.get(key)?.count ?? 0) + 1 });
    },
    counts: () => [...counts.values()],
    listed: () => listed,
  };
}

/** `why` the first image is not taken, as a sentence; null where there is none. */
export function nothingToWrite(name: string, imageCount: number, why: string | null): AppError {
  const several = imageCount === 1 ? 'the one image is not taken' : `none of ${imageCount} images is taken`;
  const none = imageCount === 0 ? 'there is no image' : several;
  const message = `There is nothing to write as ${name}: ${none}.${why === null ? '' : ` The first: ${why}`}`;
  return new AppError('invalid', message, { images: imageCount });
}
