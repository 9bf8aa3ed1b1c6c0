import { classicalHints, isClassical } from './classical-hints.ts';
import type { Selection, ToolName } from './types.ts';

export type Hint = readonly [key: string, what: string];

export interface HintContext {
  readonly tool: ToolName;
  readonly drafting: boolean;
  readonly selection: Selection | null;
  readonly selectedIsBox: boolean;
  readonly selectedIsLocked: boolean;
  readonly verticesTaken: number;
  readonly suggestions: number;
  readonly instances: number;
  readonly canAdd: boolean;
  /** Masks that the tool found, one of which is shown. */
  readonly candidates: number;
}

/** What the user can do now, the likeliest first; short enough for one line. */
export function hintsFor(context: HintContext): readonly Hint[] {
  if (context.tool === 'prompt' || context.tool === 'prompt-box') return promptHints(context);
  if (isClassical(context.tool)) return classicalHints(context.tool, context);
  if (context.tool !== 'select' && context.tool !== 'eraser' && !context.canAdd) return [['', 'Add a class first, then draw']];
  switch (context.tool) {
    case 'polygon':
      if (!context.drafting)
        return [
          ['Click', 'Set the first point'],
          ['V', 'Select'],
        ];
      return [
        ['Click', 'Add a point'],
        ['Enter', 'Close'],
        ['Backspace', 'Take back'],
        ['Esc', 'Drop'],
      ];
    case 'box':
      return context.drafting
        ? [
            ['Release', 'Finish'],
            ['Shift', 'Square'],
            ['Esc', 'Drop'],
          ]
        : [
            ['Drag', 'Draw a box'],
            ['V', 'Select'],
          ];
    case 'brush':
      if (context.drafting)
        return [
          ['Release', 'Finish'],
          ['Esc', 'Drop'],
        ];
      return [
        ['Drag', context.selection ? 'Add to the selected instance' : 'Paint a new instance'],
        ...(context.selection ? ([['Esc', 'New instance']] as const) : []),
        ['[ ]', 'Size'],
        ['E', 'Eraser'],
      ];
    case 'eraser':
      return context.drafting
        ? [
            ['Release', 'Finish'],
            ['Esc', 'Drop'],
          ]
        : [
            ['Drag', 'Erase'],
            ['[ ]', 'Size'],
            ['B', 'Brush'],
          ];
    case 'select':
      return selectHints(context);
  }
}

function promptHints(context: HintContext): readonly Hint[] {
  const boxed = context.tool === 'prompt-box';
  if (!context.drafting)
    return [
      boxed ? ['Drag', 'A box around an object'] : ['Click', 'On an object'],
      boxed ? ['Q', 'Click instead'] : ['W', 'Box instead'],
      ['⇧ Q', 'Segment everything'],
      ['V', 'Select'],
    ];
  return [
    ['Click', 'Add to it'],
    ['Right click', 'Take away'],
    ...(context.candidates > 1 ? ([['Tab', 'Other mask']] as const) : []),
    context.canAdd ? ['Enter', 'Accept'] : ['⇧ C', 'Add a class, to accept'],
    ['Backspace', 'Take back'],
    ['Esc', 'Drop'],
  ];
}

function selectHints(context: HintContext): readonly Hint[] {
  if (context.drafting)
    return [
      ['Release', 'Finish'],
      ['Esc', 'Put back'],
    ];
  if (context.selectedIsLocked)
    return [
      ['L', 'Unlock to edit'],
      ['Tab', 'Next'],
    ];
  if (context.verticesTaken > 0)
    return [
      ['Drag', 'Move the points'],
      ['Delete', 'Remove them'],
      ['Shift-click', 'Take more'],
      ['Esc', 'Let go'],
    ];
  if (context.selection?.kind === 'suggestion')
    return [
      ['Enter', 'Accept'],
      ['X', 'Reject'],
      ['Tab', 'Next'],
      ['Drag', 'Correct'],
      ['⇧ Enter', 'Accept all shown'],
    ];
  if (context.selection) {
    const reshape: Hint = context.selectedIsBox ? ['Drag', 'Move or resize'] : ['Drag', 'Move, or drag a point'];
    return [reshape, ['1–9', 'Class'], ['Delete', 'Remove'], ['H', 'Hide'], ['Tab', 'Next']];
  }
  if (context.suggestions > 0)
    return [
      ['Tab', 'First suggestion'],
      ['⇧ Enter', `Accept all ${context.suggestions} shown`],
      ['P', 'Polygon'],
      ['B', 'Brush'],
    ];
  if (context.instances > 0)
    return [
      ['Mod+Enter', 'Done, next image'],
      ['P', 'Polygon'],
      ['B', 'Brush'],
      ['I', 'Predict'],
    ];
  return [
    ['P', 'Polygon'],
    ['R', 'Box'],
    ['B', 'Brush'],
    ['I', 'Predict'],
    ['D', 'Next image'],
  ];
}
