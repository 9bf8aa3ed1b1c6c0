import type { Command } from './command.ts';
import { opened } from './command.ts';

const labelCommands = Array.from({ length: 9 }, (_, i): Command => {
  const key = String(i + 1);
  return {
    id: `label.${key}`,
    title: `Class on key ${key}`,
    group: 'Classes',
    keys: [key],
    context: 'studio',
    when: (w) => w.labels.withHotkey(key) !== null,
    run: (w) => {
      const label = w.labels.withHotkey(key);
      if (label) w.editor.setLabel(label.id);
    },
  };
});

/** Classes, and what is seen and how. */
export const VIEW_COMMANDS: readonly Command[] = [
  ...labelCommands,
  {
    id: 'label.add',
    title: 'Add a class',
    group: 'Classes',
    keys: ['Shift+C'],
    context: 'studio',
    run: (w) => void (w.addingLabel = true),
  },
  {
    id: 'label.edit',
    title: 'Edit the current class',
    group: 'Classes',
    keys: [],
    context: 'studio',
    when: (w) => w.editor.activeLabelId !== null,
    run: (w) => {
      const labelId = w.editor.activeLabelId;
      if (labelId !== null) w.dialog = { kind: 'label', labelId };
    },
  },
  {
    id: 'view.fit',
    title: 'Fit the image',
    group: 'View',
    keys: ['Mod+F', 'F'],
    context: 'studio',
    when: opened,
    run: (w) => w.editor.fit(),
  },
  {
    id: 'view.actual',
    title: 'Zoom to 100 %',
    group: 'View',
    keys: ['Mod+0'],
    context: 'studio',
    when: opened,
    run: (w) => w.editor.zoomTo(1),
  },
  {
    id: 'view.zoomIn',
    title: 'Zoom in',
    group: 'View',
    keys: ['+', '=', 'Mod++', 'Mod+='],
    context: 'studio',
    when: opened,
    run: (w) => w.editor.zoomBy(1.25),
  },
  {
    id: 'view.zoomOut',
    title: 'Zoom out',
    group: 'View',
    keys: ['-', 'Mod+-'],
    context: 'studio',
    when: opened,
    run: (w) => w.editor.zoomBy(0.8),
  },
  {
    id: 'view.annotations',
    title: 'Show or hide all instances',
    group: 'View',
    keys: ['T'],
    context: 'studio',
    when: opened,
    run: (w) => w.editor.toggleAnnotations(),
  },
  {
    id: 'view.browse',
    title: 'Show all images as a grid',
    group: 'View',
    keys: ['Shift+G'],
    context: 'studio',
    run: (w) => void (w.browsing = !w.browsing),
  },
  { id: 'theme.dark', title: 'Dark theme', group: 'View', keys: [], context: 'app', run: (w) => w.settings.set({ theme: 'dark' }) },
  { id: 'theme.light', title: 'Light theme', group: 'View', keys: [], context: 'app', run: (w) => w.settings.set({ theme: 'light' }) },
  {
    id: 'theme.system',
    title: 'Theme of the system',
    group: 'View',
    keys: [],
    context: 'app',
    run: (w) => w.settings.set({ theme: 'system' }),
  },
  {
    id: 'help.palette',
    title: 'Find a command…',
    group: 'Help',
    keys: ['Mod+K'],
    context: 'app',
    run: (w) => void (w.dialog = { kind: 'palette' }),
  },
  {
    id: 'help.shortcuts',
    title: 'Keyboard shortcuts',
    group: 'Help',
    keys: ['?'],
    context: 'app',
    run: (w) => void (w.dialog = { kind: 'shortcuts' }),
  },
];
