import type { ToolName } from './editor/types.ts';
import type { KeyContext } from './keymap.ts';
import type { Workspace } from './state/workspace.svelte.ts';

/**
 * Every user command, once: buttons, tooltips, palette, cheat sheet and keys all read this list.
 * Two commands on one key in contexts that overlap are a failing test.
 */
export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  readonly keys: readonly string[];
  readonly context: KeyContext;
  /** Whether it would do something now; without it, always. */
  readonly when?: (w: Workspace) => boolean;
  /** What it answers is ignored; failures are told by the workspace. */
  readonly run: (w: Workspace) => unknown;
}

export const GROUPS = ['Images', 'Tools', 'Suggestions', 'Instances', 'Classes', 'Edit', 'View', 'Models', 'Project', 'Help'] as const;
export type Group = (typeof GROUPS)[number];

export interface ToolEntry {
  readonly name: ToolName;
  readonly title: string;
  readonly key: string;
}

export const TOOLS: readonly ToolEntry[] = [
  { name: 'select', title: 'Select and edit', key: 'V' },
  { name: 'polygon', title: 'Polygon', key: 'P' },
  { name: 'box', title: 'Box', key: 'R' },
  { name: 'brush', title: 'Brush', key: 'B' },
  { name: 'eraser', title: 'Eraser', key: 'E' },
];

const opened = (w: Workspace): boolean => w.editor.document !== null;
const imageOpen = (w: Workspace): boolean => w.images.current !== null;
const annotationSelected = (w: Workspace): boolean => w.editor.selection?.kind === 'annotation';
const suggestionSelected = (w: Workspace): boolean => w.editor.selection?.kind === 'suggestion';
const somethingSelected = (w: Workspace): boolean => w.editor.selection !== null;

/** Calls `act` with the id of the selected annotation. */
function withAnnotation(w: Workspace, act: (id: string) => void): void {
  const selection = w.editor.selection;
  if (selection?.kind === 'annotation') act(selection.id);
}

export const BRUSH_STEP = 1.2;
export const BRUSH_MAX_PX = 400;

/** Brush sizes grow by a fifth, at least by one pixel. */
export function steppedBrush(px: number, step: 1 | -1): number {
  const next = step === 1 ? Math.max(px + 1, px * BRUSH_STEP) : Math.min(px - 1, px / BRUSH_STEP);
  return Math.min(BRUSH_MAX_PX, Math.max(1, Math.round(next)));
}

const toolCommands = TOOLS.map((tool): Command => ({
  id: `tool.${tool.name}`,
  title: tool.title,
  group: 'Tools',
  keys: [tool.key],
  context: 'studio',
  when: opened,
  run: (w) => w.editor.setTool(tool.name),
}));

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

function nudge(key: string, dx: number, dy: number, title: string): Command {
  const far = key.startsWith('Shift+') ? 10 : 1;
  return {
    id: `nudge.${key}`,
    title,
    group: 'Instances',
    keys: [key],
    context: 'canvas',
    when: annotationSelected,
    run: (w) => w.editor.nudge(dx * far, dy * far),
  };
}

export const COMMANDS: readonly Command[] = [
  { id: 'image.next', title: 'Next image', group: 'Images', keys: ['D'], context: 'studio', when: imageOpen, run: (w) => w.step(1) },
  {
    id: 'image.previous',
    title: 'Previous image',
    group: 'Images',
    keys: ['A'],
    context: 'studio',
    when: imageOpen,
    run: (w) => w.step(-1),
  },
  {
    id: 'image.nextPending',
    title: 'Next image to review',
    group: 'Images',
    keys: ['Shift+D'],
    context: 'studio',
    when: imageOpen,
    run: (w) => w.stepToPending(1),
  },
  {
    id: 'image.previousPending',
    title: 'Previous image to review',
    group: 'Images',
    keys: ['Shift+A'],
    context: 'studio',
    when: imageOpen,
    run: (w) => w.stepToPending(-1),
  },
  {
    id: 'image.done',
    title: 'Mark done and go on',
    group: 'Images',
    keys: ['Mod+Enter'],
    context: 'idle',
    when: imageOpen,
    run: (w) => w.finishAndNext('done'),
  },
  {
    id: 'image.skip',
    title: 'Skip this image and go on',
    group: 'Images',
    keys: ['Mod+Shift+Enter'],
    context: 'idle',
    when: imageOpen,
    run: (w) => w.finishAndNext('skipped'),
  },
  {
    id: 'image.reopen',
    title: 'Mark as in progress',
    group: 'Images',
    keys: [],
    context: 'studio',
    when: imageOpen,
    run: (w) => w.setState('in-progress'),
  },

  ...toolCommands,
  {
    id: 'brush.smaller',
    title: 'Smaller brush',
    group: 'Tools',
    keys: ['['],
    context: 'studio',
    when: opened,
    run: (w) => void (w.editor.brushPx = steppedBrush(w.editor.brushPx, -1)),
  },
  {
    id: 'brush.larger',
    title: 'Larger brush',
    group: 'Tools',
    keys: [']'],
    context: 'studio',
    when: opened,
    run: (w) => void (w.editor.brushPx = steppedBrush(w.editor.brushPx, 1)),
  },

  {
    id: 'suggestion.accept',
    title: 'Accept suggestion',
    group: 'Suggestions',
    keys: ['Enter'],
    context: 'idle',
    when: suggestionSelected,
    run: (w) => w.editor.acceptSelected(),
  },
  {
    id: 'suggestion.reject',
    title: 'Reject suggestion',
    group: 'Suggestions',
    keys: ['X'],
    context: 'idle',
    when: suggestionSelected,
    run: (w) => w.editor.rejectSelected(),
  },
  {
    id: 'suggestion.acceptAll',
    title: 'Accept all shown',
    group: 'Suggestions',
    keys: ['Shift+Enter'],
    context: 'idle',
    when: (w) => w.editor.shownSuggestions.length > 0,
    run: (w) => w.editor.acceptAllShown(),
  },
  {
    id: 'suggestion.toggle',
    title: 'Show or hide suggestions',
    group: 'Suggestions',
    keys: ['Shift+T'],
    context: 'studio',
    when: opened,
    run: (w) => w.editor.toggleSuggestions(),
  },

  {
    id: 'select.next',
    title: 'Select next',
    group: 'Instances',
    keys: ['Tab'],
    context: 'canvas',
    when: opened,
    run: (w) => w.editor.selectNext(1),
  },
  {
    id: 'select.previous',
    title: 'Select previous',
    group: 'Instances',
    keys: ['Shift+Tab'],
    context: 'canvas',
    when: opened,
    run: (w) => w.editor.selectNext(-1),
  },
  {
    id: 'instance.delete',
    title: 'Delete instance',
    group: 'Instances',
    keys: ['Delete'],
    context: 'idle',
    when: annotationSelected,
    run: (w) => w.editor.deleteSelected(),
  },
  {
    id: 'instance.hide',
    title: 'Hide or show instance',
    group: 'Instances',
    keys: ['H'],
    context: 'idle',
    when: annotationSelected,
    run: (w) => withAnnotation(w, (id) => w.editor.toggleHidden(id)),
  },
  {
    id: 'instance.lock',
    title: 'Lock or unlock instance',
    group: 'Instances',
    keys: ['L'],
    context: 'idle',
    when: annotationSelected,
    run: (w) => withAnnotation(w, (id) => w.editor.toggleLocked(id)),
  },
  {
    id: 'instance.raise',
    title: 'Bring forward',
    group: 'Instances',
    keys: ['PageUp'],
    context: 'canvas',
    when: annotationSelected,
    run: (w) => w.editor.raise(1),
  },
  {
    id: 'instance.lower',
    title: 'Send backward',
    group: 'Instances',
    keys: ['PageDown'],
    context: 'canvas',
    when: annotationSelected,
    run: (w) => w.editor.raise(-1),
  },
  {
    id: 'instance.crowd',
    title: 'Mark as crowd (iscrowd)',
    group: 'Instances',
    keys: [],
    context: 'idle',
    when: annotationSelected,
    run: (w) => w.editor.toggleCrowd(),
  },
  nudge('ArrowLeft', -1, 0, 'Move 1 px left'),
  nudge('ArrowRight', 1, 0, 'Move 1 px right'),
  nudge('ArrowUp', 0, -1, 'Move 1 px up'),
  nudge('ArrowDown', 0, 1, 'Move 1 px down'),
  nudge('Shift+ArrowLeft', -1, 0, 'Move 10 px left'),
  nudge('Shift+ArrowRight', 1, 0, 'Move 10 px right'),
  nudge('Shift+ArrowUp', 0, -1, 'Move 10 px up'),
  nudge('Shift+ArrowDown', 0, 1, 'Move 10 px down'),

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
    id: 'edit.undo',
    title: 'Undo',
    group: 'Edit',
    keys: ['Mod+Z'],
    context: 'studio',
    when: (w) => w.editor.canUndo || w.editor.drafting,
    run: (w) => w.attempt(() => w.editor.undo()),
  },
  {
    id: 'edit.redo',
    title: 'Redo',
    group: 'Edit',
    keys: ['Mod+Shift+Z', 'Mod+Y'],
    context: 'studio',
    when: (w) => w.editor.canRedo,
    run: (w) => w.attempt(() => w.editor.redo()),
  },
  {
    id: 'edit.copy',
    title: 'Copy instance',
    group: 'Edit',
    keys: ['Mod+C'],
    context: 'idle',
    when: annotationSelected,
    run: (w) => w.editor.copySelected(),
  },
  { id: 'edit.paste', title: 'Paste', group: 'Edit', keys: ['Mod+V'], context: 'idle', when: opened, run: (w) => w.editor.paste() },
  {
    id: 'edit.duplicate',
    title: 'Duplicate instance',
    group: 'Edit',
    keys: ['Mod+D'],
    context: 'idle',
    when: annotationSelected,
    run: (w) => w.editor.duplicateSelected(),
  },
  { id: 'draft.finish', title: 'Finish the outline', group: 'Edit', keys: ['Enter'], context: 'draft', run: (w) => w.editor.finishDraft() },
  {
    id: 'draft.cancel',
    title: 'Cancel the outline',
    group: 'Edit',
    keys: ['Escape'],
    context: 'draft',
    run: (w) => w.editor.cancelDraft(),
  },
  {
    id: 'draft.removePoint',
    title: 'Remove the last point',
    group: 'Edit',
    keys: ['Backspace'],
    context: 'draft',
    run: (w) => w.editor.removeLastPoint(),
  },
  {
    id: 'vertex.remove',
    title: 'Delete selected point',
    group: 'Edit',
    keys: ['Backspace'],
    context: 'idle',
    when: annotationSelected,
    run: (w) => w.editor.removeLastPoint(),
  },
  {
    id: 'select.none',
    title: 'Select nothing',
    group: 'Edit',
    keys: ['Escape'],
    context: 'idle',
    when: (w) => somethingSelected(w) || w.browsing,
    run: (w) => (w.browsing ? void (w.browsing = false) : w.editor.select(null)),
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
    id: 'view.colouring',
    title: 'Colour by class or by instance',
    group: 'View',
    keys: ['C'],
    context: 'studio',
    run: (w) => void (w.editor.colouring = w.editor.colouring === 'instance' ? 'semantic' : 'instance'),
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
    id: 'predict.image',
    title: 'Predict this image',
    group: 'Models',
    keys: ['I'],
    context: 'studio',
    when: (w) => imageOpen(w) && w.images.current?.error === null,
    run: (w) => w.predict('current'),
  },
  {
    id: 'predict.selection',
    title: 'Predict the picked images',
    group: 'Models',
    keys: [],
    context: 'studio',
    when: (w) => w.images.picked.size > 0,
    run: (w) => w.predict({ kind: 'images', imageIds: [...w.images.picked] }),
  },
  {
    id: 'predict.untouched',
    title: 'Predict untouched images',
    group: 'Models',
    keys: [],
    context: 'studio',
    run: (w) => w.predict({ kind: 'folder', untouched: true }),
  },
  {
    id: 'predict.folder',
    title: 'Predict the whole folder',
    group: 'Models',
    keys: ['Shift+I'],
    context: 'studio',
    run: (w) => w.predict({ kind: 'folder', untouched: false }),
  },

  {
    id: 'project.export',
    title: 'Export COCO dataset…',
    group: 'Project',
    keys: ['Mod+E'],
    context: 'studio',
    run: (w) => void (w.dialog = { kind: 'export' }),
  },
  { id: 'project.close', title: 'Close the project', group: 'Project', keys: [], context: 'studio', run: (w) => w.closeProject() },

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

const BY_ID = new Map(COMMANDS.map((command) => [command.id, command]));

/** Throws where no command has this id: a typing mistake in a component. */
export function commandOf(id: string): Command {
  const command = BY_ID.get(id);
  if (!command) throw new Error(`No command is called ${id}.`);
  return command;
}

/** Whether a command can be run now. */
export function isEnabled(command: Command, w: Workspace): boolean {
  if (command.context !== 'app' && !w.project) return false;
  if (command.context === 'draft' && !w.editor.drafting) return false;
  if (command.context === 'idle' && w.editor.drafting) return false;
  return command.when?.(w) ?? true;
}

/** The command that a key means now, or null. `onCanvas`: the focus is on the image or nowhere. */
export function commandForKey(key: string, w: Workspace, onCanvas: boolean): Command | null {
  const found = COMMANDS.find(
    (command) => command.keys.includes(key) && (command.context !== 'canvas' || onCanvas) && isEnabled(command, w),
  );
  return found ?? null;
}
