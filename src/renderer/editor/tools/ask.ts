import type { PromptAnswer } from '../../../shared/calls/prompts.ts';
import type { Box } from '../../../shared/records.ts';
import type { ImagePoint } from '../viewport.ts';
import type { ClassicalAsks } from './classical-asks.ts';
import type { Mark } from './draft.ts';

/**
 * Questions that tools put to the studio, by kind: what is asked, and what is answered. A new kind is one
 * line here, and one resolver given to `editor.answers` (see `../asking.ts`). Everything is image space.
 */
export interface Asks extends ClassicalAsks {
  /** The mask that points and a box mean. */
  readonly prompt: { readonly question: PromptQuestion; readonly answer: PromptAnswer };
  /** The same, from close by: slower, finer. */
  readonly finer: { readonly question: PromptQuestion; readonly answer: PromptAnswer };
  /** The mask that a click here would give; null where that cannot be had quickly. */
  readonly hover: { readonly question: { readonly at: ImagePoint }; readonly answer: PromptAnswer | null };
}

export type AskKind = keyof Asks;

type AskOf = {
  [K in AskKind]: { readonly kind: K; readonly id: number; readonly question: Asks[K]['question'] };
};
/** A question of one of these kinds. `id` is the tool's own, each one once until the tool is reset. */
export type Ask<K extends AskKind = AskKind> = AskOf[K];

type AnswerOf = {
  [K in AskKind]: { readonly kind: 'answer'; readonly of: K; readonly id: number; readonly value: Asks[K]['answer'] };
};
/** `id` is the question's. */
export type Answer<K extends AskKind = AskKind> = AnswerOf[K];

/** What a tool is told about a question. A question that a newer one replaced is not answered at all. */
export type Answered =
  | Answer
  /** The user has been told `message`. */
  | { readonly kind: 'answer-failed'; readonly of: AskKind; readonly id: number; readonly message: string };

export interface PromptQuestion {
  readonly points: readonly Mark[];
  readonly box: Box | null;
  /** The answer that is corrected: its mask is fed back. */
  readonly refine: { readonly promptId: number; readonly candidate: number } | null;
}
