import type { VertexRef } from '../../../shared/geometry/edit-vertex.ts';
import type { ToolName } from '../types.ts';
import { box } from './box.ts';
import { brush, eraser } from './brush.ts';
import { grabcut } from './grabcut.ts';
import { polygon } from './polygon.ts';
import { prompt, promptBox } from './prompt.ts';
import { kmeans, meanShift } from './regions.ts';
import { scissors } from './scissors.ts';
import { select } from './select.ts';
import type { AskingInput, AskingTool, Cursor, Input, Step, Tool, ToolView } from './tool.ts';
import { wand } from './wand.ts';
import { watershed } from './watershed.ts';

/** A tool together with its state, so that the editor need not know what that state is. */
export interface RunningTool {
  readonly name: ToolName;
  readonly drafting: boolean;
  readonly vertices: readonly VertexRef[];
  /** Whether it takes presses of the secondary button. */
  readonly secondary: boolean;
  /** Null where the input means nothing to this tool: nothing changes then. */
  feed(input: AskingInput, view: ToolView): Step<unknown> | null;
  /** Forgets a gesture and taken vertices. */
  reset(): void;
}

function running<S>(tool: Tool<S>): () => RunningTool {
  return start(tool, (state, input, view) => (isPlain(input) ? tool.step(state, input, view) : null));
}

/** Of a tool that asks. */
function asking<S>(tool: AskingTool<S>): () => RunningTool {
  return start(tool, (state, input, view) => tool.step(state, input, view));
}

type About<S> = Pick<Tool<S>, 'name' | 'start' | 'drafting' | 'vertices' | 'secondary'>;

function start<S>(tool: About<S>, step: (state: S, input: AskingInput, view: ToolView) => Step<S> | null): () => RunningTool {
  return () => {
    let state = tool.start;
    return {
      name: tool.name,
      secondary: tool.secondary ?? false,
      get drafting() {
        return tool.drafting(state);
      },
      get vertices() {
        return tool.vertices?.(state) ?? [];
      },
      feed(input, view) {
        const next = step(state, input, view);
        if (next) state = next.state;
        return next;
      },
      reset() {
        state = tool.start;
      },
    };
  };
}

function isPlain(input: AskingInput): input is Input {
  return input.kind !== 'answer' && input.kind !== 'answer-failed' && input.kind !== 'next' && input.kind !== 'again';
}

/** Every tool; a new one is one file and one line here. */
const TOOLS: Readonly<Record<ToolName, () => RunningTool>> = {
  select: running(select),
  polygon: running(polygon),
  box: running(box),
  brush: running(brush),
  eraser: running(eraser),
  prompt: asking(prompt),
  'prompt-box': asking(promptBox),
  kmeans: asking(kmeans),
  'mean-shift': asking(meanShift),
  grabcut: asking(grabcut),
  watershed: asking(watershed),
  wand: asking(wand),
  scissors: asking(scissors),
};

export function startTool(name: ToolName): RunningTool {
  return TOOLS[name]();
}

export const RESTING_CURSOR: Readonly<Record<ToolName, Cursor>> = {
  select: 'default',
  polygon: 'crosshair',
  box: 'crosshair',
  brush: 'none',
  eraser: 'none',
  prompt: 'crosshair',
  'prompt-box': 'crosshair',
  kmeans: 'default',
  'mean-shift': 'default',
  grabcut: 'crosshair',
  watershed: 'none',
  wand: 'crosshair',
  scissors: 'crosshair',
};
