import type { DraftField } from '../../shared/answers/models.ts';

/** What is known of one field before the user says anything. */
export interface FieldSpec {
  readonly key: string;
  readonly label: string;
  readonly kind: DraftField['kind'];
  readonly options?: DraftField['options'];
  /** Null: nobody can know it from the files. */
  readonly proposed: string | null;
  /** Whether the proposal stands in the file, or only follows from what is usual. */
  readonly certainty: 'read' | 'usual';
  readonly why: string;
  /** What is wrong with a value; null where nothing is. */
  readonly check?: (value: string) => string | null;
}

/** Fields are asked for one after the other; what is asked later may depend on what was answered before. */
export interface Form {
  /** The value of a field: the user's answer, else what is proposed; null while it is missing or wrong. */
  ask(spec: FieldSpec): string | null;
  readonly fields: readonly DraftField[];
  /** Keys of fields that need an answer, or another one. */
  readonly missing: readonly string[];
}

export function createForm(answers: Readonly<Record<string, string>>): Form {
  const fields: DraftField[] = [];
  const missing: string[] = [];
  return {
    fields,
    missing,
    ask(spec) {
      const options = spec.options ?? [];
      const answer = answers[spec.key]?.trim();
      // An answer to a question that was another one then is none.
      const answered = answer !== undefined && answer !== '' && (options.length === 0 || options.some((option) => option.value === answer));
      const value = answered ? answer : spec.proposed;
      const wrong = value === null ? null : (spec.check?.(value) ?? null);
      if (value === null || wrong !== null) missing.push(spec.key);
      fields.push({
        key: spec.key,
        label: spec.label,
        kind: spec.kind,
        options,
        value,
        certainty: answered && answer !== spec.proposed ? 'answered' : spec.proposed === null ? 'asked' : spec.certainty,
        why: wrong ?? spec.why,
      });
      return wrong === null ? value : null;
    },
  };
}

/** A whole or decimal number in a range. */
export function numberFrom(least: number, most: number): (value: string) => string | null {
  return (value) => {
    const number = Number(value);
    return value.trim() !== '' && number >= least && number <= most ? null : `A number from ${least} to ${most} is needed.`;
  };
}

/** Names, one a line; `count` of them, or any number. */
export function namesOf(count: number | null): (value: string) => string | null {
  return (value) => {
    const names = lines(value);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) return `“${twice}” stands there twice.`;
    if (count !== null && names.length !== count) return `The file has ${count} classes; ${names.length} names are given.`;
    return names.length === 0 ? 'At least one name is needed.' : null;
  };
}

export function lines(value: string): readonly string[] {
  return value
    .split('\n')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
