import type { Workspace } from '../state/workspace.svelte.ts';
import type { Command } from './command.ts';
import { opened } from './command.ts';

const annotationSelected = (w: Workspace): boolean => w.editor.selection?.kind === 'annotation';
const suggestionSelected = (w: Workspace): boolean => w.editor.selection?.kind === 'suggestion';
const somethingSelected = (w: Workspace): boolean => w.editor.selection !== null;

/** Calls `act` with the id of the selected annotation. */
function withAnnotation(w: Workspace, act: (id: string) => void): void {
  const selection = w.editor.selection;
  if (selection?.kind === 'annotation') act(selection.id);
}

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

/** Suggestions, instances, and the outline being drawn. */
export const INSTANCE_COMMANDS: readonly Command[] = [
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
];
