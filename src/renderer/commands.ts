import { CLASSICAL_COMMANDS } from './commands/classical.ts';
import type { Command } from './commands/command.ts';
import { DRAWING_COMMANDS } from './commands/drawing.ts';
import { EVALUATION_COMMANDS } from './commands/evaluation.ts';
import { IMAGE_COMMANDS } from './commands/images.ts';
import { INSTANCE_COMMANDS } from './commands/instances.ts';
import { PICTURE_COMMANDS } from './commands/pictures.ts';
import { RETRAINING_COMMANDS } from './commands/retraining.ts';
import { STATISTICS_COMMANDS } from './commands/statistics.ts';
import { VIEW_COMMANDS } from './commands/view.ts';
import type { Workspace } from './state/workspace.svelte.ts';

/**
 * Every user command, once: buttons, tooltips, palette, cheat sheet and keys all read this list.
 * Two commands on one key in contexts that overlap are a failing test.
 */
export const COMMANDS: readonly Command[] = [
  ...IMAGE_COMMANDS,
  ...DRAWING_COMMANDS,
  ...CLASSICAL_COMMANDS,
  ...INSTANCE_COMMANDS,
  ...VIEW_COMMANDS,
  ...PICTURE_COMMANDS,
  ...STATISTICS_COMMANDS,
  ...EVALUATION_COMMANDS,
  ...RETRAINING_COMMANDS,
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
