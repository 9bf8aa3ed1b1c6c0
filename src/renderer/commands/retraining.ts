import type { Command } from './command.ts';

/** Out to a training, and back with the model. */
export const RETRAINING_COMMANDS: readonly Command[] = [
  {
    id: 'project.retrain',
    title: 'Export for retraining Mask R-CNN…',
    group: 'Project',
    keys: [],
    context: 'studio',
    run: (w) => void (w.dialog = { kind: 'export', format: 'mask-rcnn' }),
  },
  {
    id: 'models.return',
    title: 'Bring a trained model back…',
    group: 'Models',
    keys: [],
    context: 'studio',
    run: (w) => void (w.dialog = { kind: 'return' }),
  },
];
