import type { PROMPT_CALLS } from '../shared/calls/prompts.ts';
import type { Handlers } from '../shared/contract.ts';
import type { PromptsOptions } from './prompts.ts';
import { createPrompts } from './prompts.ts';

export interface PromptHandlers {
  readonly handlers: Pick<Handlers, keyof typeof PROMPT_CALLS>;
  /** For the end of a project: gives up what waits. */
  close(): void;
}

/** The calls about clicks and boxes. */
export function createPromptHandlers(options: PromptsOptions): PromptHandlers {
  const prompts = createPrompts(options);
  return {
    close: prompts.close,
    handlers: {
      'prompt.open': (input) => Promise.resolve().then(() => prompts.open(input)),
      'prompt.ask': (input) => prompts.ask(input),
      'prompt.close': () => {
        prompts.close();
        return Promise.resolve(null);
      },
    },
  };
}
