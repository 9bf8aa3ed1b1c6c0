import type { Hint, HintContext } from './hints.ts';
import type { ClassicalTool, ToolName } from './types.ts';
import { CLASSICAL_TOOLS } from './types.ts';

export function isClassical(tool: ToolName): tool is ClassicalTool {
  return CLASSICAL_TOOLS.some((name) => name === tool);
}

const END: readonly Hint[] = [
  ['Enter', 'Make the instance'],
  ['Backspace', 'Take back'],
  ['Esc', 'Drop'],
];

/** What the user can do now with a classical method. */
export function classicalHints(tool: ClassicalTool, { drafting, canAdd }: HintContext): readonly Hint[] {
  if (tool === 'kmeans' || tool === 'mean-shift')
    return drafting
      ? [
          ['Enter', 'Keep as suggestions'],
          ['Esc', 'Drop'],
        ]
      : [
          ['', 'Change a parameter to see the regions'],
          ['Tab', 'First suggestion'],
          ['V', 'Select'],
        ];
  if (!canAdd) return [['', 'Add a class first, then draw']];
  switch (tool) {
    case 'grabcut':
      return drafting
        ? [['Drag', 'Paint the object'], ['⇧ or right', 'Paint what it is not'], ...END]
        : [
            ['Drag', 'Draw a box around the object'],
            ['V', 'Select'],
          ];
    case 'watershed':
      return drafting
        ? [['Drag', 'Mark the object'], ['⇧ or right', 'Mark what lies around'], ['Tab', 'Next object'], ...END]
        : [
            ['Drag', 'Mark an object'],
            ['⇧ or right', 'Mark what lies around'],
            ['[ ]', 'Size'],
          ];
    case 'wand':
      return drafting
        ? [['⇧ click', 'Add'], ['Alt click', 'Take away'], ['Drag', 'Widen or narrow'], ...END]
        : [
            ['Click', 'Take what has this colour'],
            ['Drag', 'Widen or narrow'],
            ['V', 'Select'],
          ];
    case 'scissors':
      return drafting
        ? [
            ['Click', 'Fix the line'],
            ['⇧ click', 'Straight'],
            ['Enter', 'Close'],
            ['Backspace', 'Take back'],
            ['Esc', 'Drop'],
          ]
        : [
            ['Click', 'Begin on an edge'],
            ['V', 'Select'],
          ];
  }
}
