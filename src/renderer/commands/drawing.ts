import type { ClassicalTool, ToolName } from '../editor/types.ts';
import type { Command } from './command.ts';
import { opened } from './command.ts';

export interface ToolEntry {
  readonly name: Exclude<ToolName, ClassicalTool>;
  readonly title: string;
  readonly key: string;
}

export const TOOLS: readonly ToolEntry[] = [
  { name: 'select', title: 'Select and edit', key: 'V' },
  { name: 'polygon', title: 'Polygon', key: 'P' },
  { name: 'box', title: 'Box', key: 'R' },
  { name: 'brush', title: 'Brush', key: 'B' },
  { name: 'eraser', title: 'Eraser', key: 'E' },
  { name: 'prompt', title: 'Click an object', key: 'Q' },
  { name: 'prompt-box', title: 'Box an object', key: 'W' },
];

const BRUSH_STEP = 1.2;
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

/** The tools and their sizes. */
export const DRAWING_COMMANDS: readonly Command[] = [
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
];
