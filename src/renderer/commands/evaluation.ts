import { evaluationOf } from '../state/evaluation.svelte.ts';
import type { Command } from './command.ts';

/** How good a model is on the images of the project. */
export const EVALUATION_COMMANDS: readonly Command[] = [
  {
    id: 'project.evaluate',
    title: 'Evaluate a model…',
    group: 'Project',
    keys: ['Shift+E'],
    context: 'studio',
    run: (w) => {
      evaluationOf(w).leave();
      w.dialog = { kind: 'evaluation' };
    },
  },
];
