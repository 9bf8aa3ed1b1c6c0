/**
 * Keys as text, e.g. `Mod+Shift+Z`, and which command a key press means. `Mod` is Cmd on macOS and
 * Ctrl elsewhere. Letters are upper case; a symbol such as `?` stands for the character typed,
 * whatever Shift it takes on the user's keyboard.
 */

/** `app` everywhere; `studio` with a project open; `idle` and `draft` in the studio, without and with
 *  a half-done gesture; `canvas` in the studio while the focus is on the image or nowhere. */
export type KeyContext = 'app' | 'studio' | 'idle' | 'draft' | 'canvas';

export interface Bound {
  readonly id: string;
  readonly keys: readonly string[];
  readonly context: KeyContext;
}

/** The parts of a KeyboardEvent that decide. */
export interface KeyPress {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

const NAMED = new Set([
  'Enter',
  'Escape',
  'Tab',
  'Delete',
  'Backspace',
  'ArrowLeft',
  'ArrowRight',
  'ArrowUp',
  'ArrowDown',
  'Home',
  'End',
  'PageUp',
  'PageDown',
]);

/** The text form of a key press. */
export function keyText(press: KeyPress, mac: boolean): string {
  const mod = mac ? press.metaKey : press.ctrlKey;
  const key = keyName(press);
  const plain = key.length === 1 && !/[A-Z0-9]/.test(key);
  const parts: string[] = [];
  if (mod) parts.push('Mod');
  if (mac ? press.ctrlKey : press.metaKey) parts.push(mac ? 'Ctrl' : 'Meta');
  // AltGr reports Ctrl+Alt on Windows for symbols such as `[`; those count as the symbol alone.
  if (press.altKey && !plain) parts.push('Alt');
  if (press.shiftKey && !plain) parts.push('Shift');
  if (plain && press.altKey && mod) parts.shift();
  parts.push(key);
  return parts.join('+');
}

function keyName(press: KeyPress): string {
  if (press.key === 'Esc') return 'Escape';
  if (press.key === ' ') return 'Space';
  if (press.key.length > 1) return press.key;
  // The same physical key where the layout has no Latin letters, and digits that need Shift (AZERTY).
  const letter = /^Key([A-Z])$/.exec(press.code)?.[1];
  if (letter && !/^[\x20-\x7e]$/.test(press.key)) return letter;
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(press.code)?.[1];
  if (digit && !press.shiftKey && !press.altKey) return digit;
  return press.key.toUpperCase();
}

/** Whether two contexts can be in force at once. */
export function overlaps(a: KeyContext, b: KeyContext): boolean {
  return !((a === 'idle' && b === 'draft') || (a === 'draft' && b === 'idle'));
}

/** Every pair of commands that one key press could mean. Empty is right. */
export function conflicts(commands: readonly Bound[]): readonly (readonly [key: string, first: string, second: string])[] {
  const seen = new Map<string, Bound[]>();
  const found: (readonly [string, string, string])[] = [];
  for (const command of commands) {
    for (const key of command.keys) {
      const others = seen.get(key) ?? [];
      for (const other of others) if (overlaps(other.context, command.context)) found.push([key, other.id, command.id]);
      seen.set(key, [...others, command]);
    }
  }
  return found;
}

const MAC_SIGNS: Readonly<Record<string, string>> = {
  Mod: '⌘',
  Shift: '⇧',
  Alt: '⌥',
  Ctrl: '⌃',
  Backspace: '⌫',
  Delete: '⌦',
  Enter: '↵',
  Tab: '⇥',
};
const SIGNS: Readonly<Record<string, string>> = { Mod: 'Ctrl', Shift: '⇧' };
const BOTH: Readonly<Record<string, string>> = { Escape: 'Esc', ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓' };

/** `Mod++` is Mod and the plus key. */
function split(key: string): readonly string[] {
  return key.endsWith('+')
    ? [
        ...key
          .slice(0, -1)
          .split('+')
          .filter((part) => part !== ''),
        '+',
      ]
    : key.split('+');
}

/** How a key is printed on buttons, in the palette and on the cheat sheet. */
export function showKey(key: string, mac: boolean): string {
  const parts = split(key).map((part) => (mac ? MAC_SIGNS[part] : SIGNS[part]) ?? BOTH[part] ?? part);
  return parts.join(mac ? '' : ' ');
}

/** Names that `aria-keyshortcuts` knows. */
export function ariaKeys(keys: readonly string[], mac: boolean): string {
  return keys.map((key) => key.replace('Mod', mac ? 'Meta' : 'Control')).join(' ');
}

export function isKnownKey(key: string): boolean {
  const parts = split(key);
  const last = parts.at(-1) ?? '';
  const modifiers = parts.slice(0, -1);
  const order = ['Mod', 'Ctrl', 'Meta', 'Alt', 'Shift'];
  const sorted = [...modifiers].sort((a, b) => order.indexOf(a) - order.indexOf(b));
  if (modifiers.some((m) => !order.includes(m)) || modifiers.join() !== sorted.join()) return false;
  return NAMED.has(last) || /^F([1-9]|1[0-2])$/.test(last) || (last.length === 1 && last === last.toUpperCase());
}

/**
 * Where a key press must be left to the page: text fields, open dialogs and menus, and controls that
 * were reached with the keyboard (`tabbed`).
 */
export function belongsToPage(target: EventTarget | null, key: string, tabbed: boolean): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest('[role=dialog], [role=alertdialog], [role=menu], [role=listbox]')) return true;
  if (target instanceof HTMLElement && target.isContentEditable) return true;
  if (target.matches('textarea, select')) return true;
  if (target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type)) return true;
  if (key === 'Enter' || key === 'Space') return tabbed && target.matches('button, a, [role=slider], [role=option], input');
  if (key.startsWith('Arrow') || ['Home', 'End', 'PageUp', 'PageDown'].includes(key))
    return target.matches('[role=slider], [role=grid] *, [role=listbox] *, input');
  return false;
}
