import type { Finding, FindingKind } from '../../../shared/formats.ts';
import type { Page } from '../../state/paged-rows.ts';

/** A part of a report: of one kind and reason where they are given, with `search` in the id or the words. */
export interface FindingQuestion {
  readonly kind: FindingKind | null;
  readonly reason: string | null;
  readonly search: string;
  readonly offset: number;
  readonly limit: number;
}
export type FindingRows = Page<Finding>;

/** Answers from findings that are all here. */
export function findingsIn(findings: readonly Finding[], { kind, reason, search, offset, limit }: FindingQuestion): FindingRows {
  const wanted = search.toLowerCase();
  const found = findings.filter(
    (finding) =>
      (kind === null || finding.kind === kind) &&
      (reason === null || finding.reason === reason) &&
      (wanted === '' || finding.id.toLowerCase().includes(wanted) || finding.message.toLowerCase().includes(wanted)),
  );
  return { total: found.length, offset, rows: found.slice(offset, offset + limit) };
}
