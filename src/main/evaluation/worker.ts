import { parentPort, workerData } from 'node:worker_threads';
import { AppError, toWireError } from '../../shared/errors.ts';
import type { EvaluatedProject } from './evaluated-project.ts';
import { evaluateProject } from './evaluated-project.ts';
import type { EvaluationAsk, EvaluationMethod, EvaluationQuestions, EvaluationTold } from './messages.ts';

/** The evaluation in a thread of its own. It keeps the last one, to be looked at with other thresholds. */

/** Turns below it are given up. */
const least = workerData as Int32Array;
const PROGRESS_MS = 80;

let kept: EvaluatedProject | null = null;

function tell(told: EvaluationTold): void {
  parentPort?.postMessage(told);
}

function current(id: number): EvaluatedProject {
  if (kept?.report.id === id) return kept;
  throw new AppError('not-found', 'This evaluation is not kept any more: run it again.', { id });
}

async function answer(asked: EvaluationAsk): Promise<EvaluationQuestions[EvaluationMethod]['answer']> {
  switch (asked.method) {
    case 'run': {
      kept = null;
      let toldAtMs = 0;
      kept = await evaluateProject(asked.ask.file, asked.turn, asked.ask.options, {
        tell(progress) {
          const now = performance.now();
          if (now - toldAtMs < PROGRESS_MS && progress.done < progress.total) return;
          toldAtMs = now;
          tell({ kind: 'progress', progress });
        },
        pause() {
          if (Atomics.load(least, 0) > asked.turn) throw new AppError('cancelled', 'The evaluation was cancelled.');
        },
      });
      return kept.report;
    }
    case 'look':
      return current(asked.ask.id).look(asked.ask);
    case 'cases':
      return current(asked.ask.id).cases(asked.ask);
  }
}

let turn: Promise<void> = Promise.resolve();
parentPort?.on('message', (asked: EvaluationAsk) => {
  turn = turn.then(async () => {
    try {
      tell({ kind: 'answer', turn: asked.turn, answer: await answer(asked) });
    } catch (thrown) {
      tell({ kind: 'error', turn: asked.turn, error: toWireError(thrown) });
    }
  });
});
