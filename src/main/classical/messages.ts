import type { ParsedQuestion } from '../../shared/classical/questions.ts';
import type { WireError } from '../../shared/errors.ts';
import type { Path } from './path.ts';
import type { Segmented } from './segment.ts';

/** What travels between the thread of the classical methods and the main side. Both ends are ours. */

export interface ThreadQuestions {
  /** Takes an image over; `key` names it from then on. */
  readonly open: {
    readonly ask: {
      readonly key: string;
      readonly width: number;
      readonly height: number;
      readonly fine: { readonly width: number; readonly height: number; readonly data: Uint8Array };
    };
    readonly answer: { readonly width: number; readonly height: number };
  };
  readonly drop: { readonly ask: { readonly key: string }; readonly answer: null };
  readonly segment: {
    readonly ask: { readonly key: string; readonly question: ParsedQuestion; readonly draft: boolean };
    readonly answer: Segmented;
  };
  readonly path: {
    readonly ask: {
      readonly key: string;
      readonly from: readonly [number, number];
      readonly to: readonly [number, number];
      readonly snap: number;
    };
    readonly answer: Path;
  };
}
export type ThreadMethod = keyof ThreadQuestions;

type Asks = { [M in ThreadMethod]: { readonly id: number; readonly method: M; readonly ask: ThreadQuestions[M]['ask'] } };
export type ThreadAsk = Asks[ThreadMethod];

export type ThreadAnswer =
  | { readonly id: number; readonly ok: true; readonly answer: ThreadQuestions[ThreadMethod]['answer'] }
  | { readonly id: number; readonly ok: false; readonly error: WireError };

/** Slots of the shared flags: question `id` is given up when slot `id % SLOTS` holds `id`. */
export const SLOTS = 256;
