import type { KeyContext } from '../keymap.ts';
import type { Workspace } from '../state/workspace.svelte.ts';

/** One thing the user can do. */
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

export const opened = (w: Workspace): boolean => w.editor.document !== null;
export const imageOpen = (w: Workspace): boolean => w.images.current !== null;
