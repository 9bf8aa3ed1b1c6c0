import type { View } from '../../shared/views/view.ts';
import type { Command } from './command.ts';
import { opened } from './command.ts';

export interface ViewEntry {
  readonly view: View;
  readonly title: string;
  readonly about: string;
  readonly key: string;
}

/** The four tasks told apart, from the least to the most that is said about a pixel. */
export const VIEW_ENTRIES: readonly ViewEntry[] = [
  { view: 'tags', title: 'Tags', about: 'What the image shows as a whole', key: 'F1' },
  { view: 'boxes', title: 'Boxes', about: 'Where each object is', key: 'F2' },
  { view: 'semantic', title: 'Semantic', about: 'One colour per class, instances merged', key: 'F3' },
  { view: 'instance', title: 'Instances', about: 'One colour per instance', key: 'F4' },
];

const views = VIEW_ENTRIES.map((entry): Command => ({
  id: `view.${entry.view}`,
  title: `View: ${entry.title.toLowerCase()}`,
  group: 'View',
  keys: [entry.key],
  context: 'studio',
  run: (w) => void (w.editor.view = entry.view),
}));

/** The four views, and pictures made from them. */
export const PICTURE_COMMANDS: readonly Command[] = [
  ...views,
  {
    id: 'view.legend',
    title: 'Show or hide the legend',
    group: 'View',
    keys: ['C'],
    context: 'studio',
    run: (w) => w.settings.set({ legend: !w.settings.current.legend }),
  },
  {
    id: 'project.cutout',
    title: 'Cut out…',
    group: 'Project',
    keys: ['Mod+Shift+X'],
    context: 'idle',
    when: opened,
    run: (w) => void (w.dialog = { kind: 'cutout' }),
  },
  {
    id: 'project.overlays',
    title: 'Export overlays…',
    group: 'Project',
    keys: [],
    context: 'studio',
    run: (w) => void (w.dialog = { kind: 'pictures', what: 'overlays' }),
  },
  {
    id: 'project.counts',
    title: 'Export counts…',
    group: 'Project',
    keys: [],
    context: 'studio',
    run: (w) => void (w.dialog = { kind: 'pictures', what: 'counts' }),
  },
];
