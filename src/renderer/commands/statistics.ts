import type { Command } from './command.ts';

/** What the project consists of, and how it is divided. */
export const STATISTICS_COMMANDS: readonly Command[] = [
  {
    id: 'project.statistics',
    title: 'Statistics…',
    group: 'Project',
    keys: ['Shift+S'],
    context: 'studio',
    run: (w) => void (w.dialog = { kind: 'statistics', tab: 'statistics' }),
  },
  {
    id: 'project.splits',
    title: 'Divide into train, val and test…',
    group: 'Project',
    keys: [],
    context: 'studio',
    run: (w) => void (w.dialog = { kind: 'statistics', tab: 'splits' }),
  },
];
