import { z } from 'zod';

/** `call(input).answers<Answer>()`: the input's type comes from its schema, the answer's only exists for the compiler. */
export function call<I extends z.ZodType>(input: I): { answers<O>(): { readonly input: I; readonly output?: O } } {
  return { answers: () => ({ input }) };
}

/** The input of a call that takes none. */
export const none = z.object({}).default({});
