import type { EvaluationCases, EvaluationLook, EvaluationProgress, EvaluationReport } from '../../shared/answers/evaluation.ts';
import type { EvaluationCasesInput, EvaluationLookInput, EvaluationOptions } from '../../shared/calls/evaluation.ts';
import type { WireError } from '../../shared/errors.ts';

/** What travels between the thread of the evaluation and the main side. Both ends are ours. */
export interface EvaluationQuestions {
  /** `file`: of the project. The evaluation before is forgotten. */
  readonly run: { readonly ask: { readonly file: string; readonly options: EvaluationOptions }; readonly answer: EvaluationReport };
  readonly look: { readonly ask: EvaluationLookInput; readonly answer: EvaluationLook };
  readonly cases: { readonly ask: EvaluationCasesInput; readonly answer: EvaluationCases };
}
export type EvaluationMethod = keyof EvaluationQuestions;

type Asks = { [M in EvaluationMethod]: { readonly turn: number; readonly method: M; readonly ask: EvaluationQuestions[M]['ask'] } };
export type EvaluationAsk = Asks[EvaluationMethod];

export type EvaluationTold =
  | { readonly kind: 'answer'; readonly turn: number; readonly answer: EvaluationQuestions[EvaluationMethod]['answer'] }
  | { readonly kind: 'error'; readonly turn: number; readonly error: WireError }
  | { readonly kind: 'progress'; readonly progress: EvaluationProgress };
