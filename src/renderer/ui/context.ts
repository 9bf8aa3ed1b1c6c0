import { getContext, setContext } from 'svelte';
import type { Workspace } from '../state/workspace.svelte.ts';

const KEY = Symbol('workspace');

export function provideWorkspace(workspace: Workspace): void {
  setContext(KEY, workspace);
}

export function useWorkspace(): Workspace {
  return getContext<Workspace>(KEY);
}

/** Which names the keys have here: the page runs where the keyboard is. */
export const IS_MAC = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);
export const MOD_KEY = IS_MAC ? 'metaKey' : 'ctrlKey';

/** Icons of one family: 19 px, 1.7 px stroke; smaller ones inside rows. */
export const ICON = { size: 19, strokeWidth: 1.7 } as const;
export const SMALL_ICON = { size: 15, strokeWidth: 1.7 } as const;
