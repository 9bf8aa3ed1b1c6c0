import type { InspectedFile } from './inspect-families.ts';
import type { Form } from './inspect-form.ts';
import { lines, namesOf, numberFrom } from './inspect-form.ts';
import { parseNames } from './inspect-names.ts';

/** What a configuration beside the files says (X-AnyLabeling); each may be absent. */
export interface Hints {
  readonly labels?: readonly string[] | undefined;
  readonly score?: number | undefined;
  readonly iou?: number | undefined;
  /** Of the graph's input, where the graph leaves it open. */
  readonly sides?: { readonly width: number; readonly height: number } | undefined;
}

/** The part of a manifest that depends on the family; null while an answer is missing. */
export type Draft = Readonly<Record<string, unknown>> | null;

function metadata(file: InspectedFile, key: string): string | null {
  return file.header?.metadata.find((pair) => pair.key === key)?.value ?? null;
}

/** Class names: from the configuration, from the file's metadata, else asked for. */
export function askLabels(form: Form, file: InspectedFile, hints: Hints, count: number | null, what: string): readonly string[] | null {
  const stored = ['names', 'labels', 'classes', 'class_names'].map((key) => ({ key, names: parseNames(metadata(file, key) ?? '') }));
  const own = stored.find(({ names }) => names !== null && (count === null || names.length === count));
  const given = hints.labels ?? own?.names ?? null;
  const value = form.ask({
    key: 'labels',
    label: count === null ? 'Classes, one a line' : `${count} ${count === 1 ? 'class' : 'classes'}, one a line`,
    kind: 'lines',
    proposed: given?.join('\n') ?? null,
    certainty: 'read',
    why: hints.labels ? 'From the configuration.' : own ? `From “${own.key}” in the file.` : `The file does not name its classes. ${what}`,
    check: namesOf(count),
  });
  return value === null ? null : lines(value);
}

export function askScore(form: Form, usual: number, read: number | undefined): number | null {
  const value = form.ask({
    key: 'score',
    label: 'Shown from this score on',
    kind: 'number',
    proposed: String(read ?? usual),
    certainty: read === undefined ? 'usual' : 'read',
    why: 'The slider beside the suggestions changes it later.',
    check: numberFrom(0.01, 1),
  });
  return value === null ? null : Number(value);
}
