import type { SourceText } from './dataset.ts';
import type { TextMember } from './record-text.ts';
import { memberText, textMembers } from './record-text.ts';

/** A record of an imported COCO file with its members. */
export interface CocoText {
  readonly text: string;
  readonly members: readonly TextMember[];
  /** JSON text of its `id`, or null where it has none. */
  readonly id: string | null;
  readonly untouched: boolean;
  readonly raw: boolean;
  readonly renumbered: boolean;
}

/** Null for what was not imported from COCO. */
export function cocoText(source: SourceText | null): CocoText | null {
  if (source?.format !== 'coco') return null;
  const { text, untouched, raw, renumbered } = source;
  const members = textMembers(text);
  return { text, members, id: memberText(text, members, 'id'), untouched, raw, renumbered };
}

/** JSON text of a value of the record, or null. */
export function valueOf(record: CocoText, key: string): string | null {
  return memberText(record.text, record.members, key);
}
