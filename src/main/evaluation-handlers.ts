import type { EvaluationProgress } from '../shared/answers/evaluation.ts';
import type { EVALUATION_CALLS } from '../shared/calls/evaluation.ts';
import type { Handlers } from '../shared/contract.ts';
import { openEvaluationProject } from './evaluation/project-source.ts';
import { createEvaluationThread } from './evaluation/thread.ts';
import type { Project } from './project.ts';

interface EvaluationContext {
  /** The open project. Throws `not-found` where none is. */
  readonly current: () => Project;
  readonly tell: (progress: EvaluationProgress) => void;
}

export interface Evaluations {
  readonly handlers: Pick<Handlers, keyof typeof EVALUATION_CALLS>;
  /** Cancels what runs and forgets what is kept: another project is opened, or none. */
  stop(): Promise<void>;
}

/** Evaluations of the open project, worked out in a thread of their own so that the window stays alive. */
export function createEvaluations({ current, tell }: EvaluationContext): Evaluations {
  const thread = createEvaluationThread(tell);
  return {
    handlers: {
      'evaluation.run': async (options) => {
        const project = current();
        await project.scanned();
        thread.cancel();
        return thread.ask('run', { file: project.place.file, options });
      },
      'evaluation.missing': async ({ modelId, split, states }) => {
        const opened = current();
        await opened.scanned();
        const project = openEvaluationProject(opened.place.file);
        try {
          const { runs } = project.looked({ kind: 'model', modelId });
          return project.images
            .filter((image) => image.usable && !runs.has(image.id))
            .filter((image) => (split === null || image.split === split) && (states.length === 0 || states.includes(image.state)))
            .map(({ id }) => id);
        } finally {
          project.close();
        }
      },
      'evaluation.look': async (asked) => thread.ask('look', asked),
      'evaluation.cases': async (asked) => thread.ask('cases', asked),
      'evaluation.cancel': () => {
        thread.cancel();
        return Promise.resolve(null);
      },
    },
    stop: () => thread.close(),
  };
}
