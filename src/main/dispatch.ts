import { z } from 'zod';
import type { CallInput, CallName, CallOutput, CallParsed, Handlers } from '../shared/contract.ts';
import { CALLS, isCallName } from '../shared/contract.ts';
import type { Reply } from '../shared/errors.ts';
import { AppError, fromWireError, toWireError } from '../shared/errors.ts';

/**
 * One call from outside: its name is checked against the contract, its input parsed with the call's
 * schema, and whatever happens becomes a reply. Never throws.
 */
export async function dispatch(studio: { readonly handlers: Handlers }, name: string, input: unknown): Promise<Reply<unknown>> {
  try {
    if (!isCallName(name)) throw new AppError('invalid', `There is no call “${name.slice(0, 80)}”.`);
    return { ok: true, value: await answer(studio.handlers, name, input) };
  } catch (thrown) {
    return { ok: false, error: toWireError(thrown instanceof z.ZodError ? invalidInput(name, thrown) : thrown) };
  }
}

/** The same, typed, for callers in this process. Throws the AppError that the studio answers with. */
export async function callStudio<N extends CallName>(
  studio: { readonly handlers: Handlers },
  name: N,
  input: CallInput<N>,
): Promise<CallOutput<N>> {
  const reply = (await dispatch(studio, name, input)) as Reply<CallOutput<N>>;
  if (!reply.ok) throw fromWireError(reply.error);
  return reply.value;
}

function answer<N extends CallName>(handlers: Handlers, name: N, input: unknown): Promise<CallOutput<N>> {
  const parsed = CALLS[name].input.parse(input ?? {}) as CallParsed<N>;
  return handlers[name](parsed);
}

function invalidInput(name: string, error: z.ZodError): AppError {
  const first = error.issues[0];
  const where = first?.path.map(String).join('.') ?? '';
  return new AppError('invalid', `${name}: ${where === '' ? '' : `${where}: `}${first?.message ?? 'not what was expected'}.`, {
    call: name,
    key: where,
  });
}
