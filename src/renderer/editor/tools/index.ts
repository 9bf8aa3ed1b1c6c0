import type { VertexRef } from '../../../shared/geometry/edit-vertex.ts';
import type { ToolName } from '../types.ts';
import { box } from './box.ts';
import { brush, eraser } from './brush.ts';
import { polygon } from './polygon.ts';
import { select } from './select.ts';
import type { Cursor, Input, Step, Tool, ToolView } from './tool.ts';

/** A tool together with its state, so that the editor need not know what that state is. */
export interface RunningTool {
  readonly name: ToolName;
  readonly drafting: boolean;
  readonly vertices: readonly VertexRef[];
  feed(input: Input, view: ToolView): Step<unknown>;
  /** Forgets a gesture and taken vertices. */
  reset(): void;
}

function running<S>(tool: Tool<S>): () => RunningTool {
  return () => {
    let state = tool.start;
    return {
      name: tool.name,
      get drafting() {
        return tool.drafting(state);
      },
      get vertices() {
        return tool.vertices?.(state) ?? [];
      },
      feed(input, view) {
        const step = tool.step(state, input, view);
        state = step.state;
        return step;
      },
      reset() {
        state = tool.start;
      },
    };
  };
}

/** Every tool; a new one is one file and one line here. */
const TOOLS: Readonly<Record<ToolName, () => RunningTool>> = {
  select: running(select),
  polygon: running(polygon),
  box: running(box),
  brush: running(brush),
  eraser: running(eraser),
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
};
