import type { Box, Rle } from '../../shared/records.ts';

/** How a suggestion lies in the database: columns of `suggestion s` to select, and what their row is. */
export const SUGGESTION_MASK = 's.rle_height AS rleHeight, s.rle_width AS rleWidth, s.counts';
export const SUGGESTION = `s.label_id AS labelId, s.score, s.x, s.y, s.width, s.height, ${SUGGESTION_MASK}`;

export interface MaskRow {
  readonly rleHeight: number;
  readonly rleWidth: number;
  readonly counts: string;
}

export interface SuggestionRow extends MaskRow {
  readonly labelId: number;
  readonly score: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface NewSuggestion {
  readonly labelId: number;
  readonly score: number;
  readonly box: Box;
  readonly rle: Rle;
}

export function suggestionOf(row: SuggestionRow): NewSuggestion {
  const { labelId, score, x, y, width, height } = row;
  return { labelId, score, box: [x, y, width, height], rle: suggestionMask(row) };
}

export function suggestionMask({ rleHeight, rleWidth, counts }: MaskRow): Rle {
  return { size: [rleHeight, rleWidth], counts };
}
