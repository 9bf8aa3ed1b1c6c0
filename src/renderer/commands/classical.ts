import { isClassical } from '../editor/classical-hints.ts';
import type { ClassicalTool } from '../editor/types.ts';
import type { Command } from './command.ts';
import { opened } from './command.ts';

export interface MethodEntry {
  readonly name: ClassicalTool;
  readonly title: string;
  /** Without one it is found in the panel. */
  readonly key: string | null;
}

/** The methods without a model, in the order of their panel. */
export const METHODS: readonly MethodEntry[] = [
  { name: 'kmeans', title: 'K-means', key: null },
  { name: 'mean-shift', title: 'Mean shift', key: null },
  { name: 'wand', title: 'Magic wand', key: 'Y' },
  { name: 'scissors', title: 'Intelligent scissors', key: 'S' },
  { name: 'grabcut', title: 'GrabCut', key: 'U' },
  { name: 'watershed', title: 'Watershed', key: 'O' },
];

const methodCommands = METHODS.map((method): Command => ({
  id: `tool.${method.name}`,
  title: method.title,
  group: 'Tools',
  keys: method.key === null ? [] : [method.key],
  context: 'studio',
  when: opened,
  run: (w) => w.classical.take(method.name),
}));

export const CLASSICAL_COMMANDS: readonly Command[] = [
  {
    id: 'classical.toggle',
    title: 'Classical methods',
    group: 'Tools',
    keys: ['K'],
    context: 'studio',
    when: opened,
    run: (w) => (isClassical(w.editor.tool) ? w.editor.setTool('select') : w.classical.take()),
  },
  ...methodCommands,
];
