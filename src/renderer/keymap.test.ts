import { describe, expect, it } from 'vitest';
import { ariaKeys, conflicts, isKnownKey, keyText, overlaps, showKey } from './keymap.ts';
import type { KeyPress } from './keymap.ts';

function press(key: string, code: string, held: Partial<KeyPress> = {}): KeyPress {
  return { key, code, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held };
}

describe('keyText', () => {
  it('reads letters with their modifiers', () => {
    expect(keyText(press('a', 'KeyA'), false)).toBe('A');
    expect(keyText(press('A', 'KeyA', { shiftKey: true }), false)).toBe('Shift+A');
    expect(keyText(press('Z', 'KeyZ', { ctrlKey: true, shiftKey: true }), false)).toBe('Mod+Shift+Z');
    expect(keyText(press('Enter', 'Enter', { shiftKey: true }), false)).toBe('Shift+Enter');
    expect(keyText(press('Esc', 'Escape'), false)).toBe('Escape');
  });

  it('takes Cmd for Mod on macOS, and Ctrl for itself', () => {
    expect(keyText(press('z', 'KeyZ', { metaKey: true }), true)).toBe('Mod+Z');
    expect(keyText(press('z', 'KeyZ', { ctrlKey: true }), true)).toBe('Ctrl+Z');
    expect(keyText(press('z', 'KeyZ', { metaKey: true }), false)).toBe('Meta+Z');
  });

  it('takes a symbol for itself, whatever it needs on this keyboard', () => {
    expect(keyText(press('?', 'Slash', { shiftKey: true }), false)).toBe('?');
    expect(keyText(press('[', 'BracketLeft'), false)).toBe('[');
    // German: AltGr+8, reported as Ctrl+Alt.
    expect(keyText(press('[', 'Digit8', { ctrlKey: true, altKey: true }), false)).toBe('[');
    expect(keyText(press('=', 'Equal', { ctrlKey: true }), false)).toBe('Mod+=');
  });

  it('knows the key under the finger where the layout has no Latin letters or no plain digits', () => {
    expect(keyText(press('ф', 'KeyA'), false)).toBe('A');
    expect(keyText(press('&', 'Digit1'), false)).toBe('1');
    expect(keyText(press('3', 'Numpad3'), false)).toBe('3');
  });

  it('follows the layout where letters moved', () => {
    expect(keyText(press('a', 'KeyQ'), false)).toBe('A');
  });
});

describe('conflicts', () => {
  it('finds one key for two commands, unless their contexts never meet', () => {
    const commands = [
      { id: 'one', keys: ['Enter'], context: 'idle' as const },
      { id: 'two', keys: ['Enter'], context: 'draft' as const },
      { id: 'three', keys: ['X', 'Enter'], context: 'studio' as const },
    ];
    expect(conflicts(commands)).toEqual([
      ['Enter', 'one', 'three'],
      ['Enter', 'two', 'three'],
    ]);
    expect(overlaps('canvas', 'idle')).toBe(true);
  });
});

describe('printing', () => {
  it('prints keys as the platform does', () => {
    expect(showKey('Mod+Shift+Z', false)).toBe('Ctrl ⇧ Z');
    expect(showKey('Mod+Shift+Z', true)).toBe('⌘⇧Z');
    expect(showKey('Escape', false)).toBe('Esc');
    expect(showKey('Mod++', false)).toBe('Ctrl +');
    expect(ariaKeys(['Mod+Z'], false)).toBe('Control+Z');
    expect(ariaKeys(['Mod+Z'], true)).toBe('Meta+Z');
  });

  it('knows its own notation', () => {
    for (const key of ['A', '?', 'Mod+Shift+Z', 'ArrowLeft', 'F6', 'Mod++']) expect(isKnownKey(key)).toBe(true);
    for (const key of ['a', 'Shift+Mod+Z', 'Cmd+Z', 'Foo']) expect(isKnownKey(key)).toBe(false);
  });
});
