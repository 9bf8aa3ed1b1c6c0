import { describe, expect, it } from 'vitest';
import { COMMANDS, commandOf } from './commands.ts';
import { GROUPS } from './commands/command.ts';
import { TOOLS, steppedBrush } from './commands/drawing.ts';
import { conflicts, isKnownKey } from './keymap.ts';

describe('commands', () => {
  it('gives no key to two commands that can be in force at once', () => {
    expect(conflicts(COMMANDS)).toEqual([]);
  });

  it('has each id once, a title, and a group that the cheat sheet shows', () => {
    const ids = COMMANDS.map((command) => command.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const command of COMMANDS) {
      expect(command.title).not.toBe('');
      expect(GROUPS).toContain(command.group);
    }
  });

  it('writes every key in the form that a key press is turned into', () => {
    const odd = COMMANDS.flatMap((command) => command.keys.filter((key) => !isKnownKey(key)).map((key) => `${command.id}: ${key}`));
    expect(odd).toEqual([]);
  });

  it('has the keys that people already have in their fingers', () => {
    const expected: Readonly<Record<string, string>> = {
      A: 'image.previous',
      D: 'image.next',
      'Shift+A': 'image.previousPending',
      'Shift+D': 'image.nextPending',
      P: 'tool.polygon',
      R: 'tool.box',
      B: 'tool.brush',
      E: 'tool.eraser',
      V: 'tool.select',
      '[': 'brush.smaller',
      ']': 'brush.larger',
      X: 'suggestion.reject',
      'Mod+Z': 'edit.undo',
      'Mod+Shift+Z': 'edit.redo',
      'Mod+Y': 'edit.redo',
      'Mod+C': 'edit.copy',
      'Mod+V': 'edit.paste',
      'Mod+D': 'edit.duplicate',
      Delete: 'instance.delete',
      H: 'instance.hide',
      L: 'instance.lock',
      T: 'view.annotations',
      'Mod+F': 'view.fit',
      'Mod+0': 'view.actual',
      I: 'predict.image',
      'Mod+K': 'help.palette',
      '?': 'help.shortcuts',
      '7': 'label.7',
    };
    for (const [key, id] of Object.entries(expected)) {
      expect(COMMANDS.filter((command) => command.keys.includes(key)).map((command) => command.id)).toEqual([id]);
    }
    const enter = COMMANDS.filter((command) => command.keys.includes('Enter')).map((command) => `${command.context} ${command.id}`);
    expect(enter).toEqual(['idle suggestion.accept', 'draft draft.finish']);
  });

  it('names the command that a component asks for wrongly', () => {
    expect(() => commandOf('image.nxet')).toThrow('image.nxet');
    for (const tool of TOOLS) expect(commandOf(`tool.${tool.name}`).keys).toEqual([tool.key]);
  });

  it('changes the brush by at least a pixel and stays in its range', () => {
    expect(steppedBrush(1, -1)).toBe(1);
    expect(steppedBrush(1, 1)).toBe(2);
    expect(steppedBrush(100, 1)).toBe(120);
    expect(steppedBrush(120, -1)).toBe(100);
    expect(steppedBrush(395, 1)).toBe(400);
  });
});
