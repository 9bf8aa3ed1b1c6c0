import { toast } from 'svelte-sonner';
import type { ErrorCode, ErrorDetail } from '../shared/errors.ts';
import { AppError, toWireError } from '../shared/errors.ts';

/** How each kind of error is told: a headline, and what the user can do next. */
interface Telling {
  readonly headline: string;
  readonly next: string;
}

/** Exhaustive: a new code without a telling does not compile. */
export const TELLINGS: Readonly<Record<ErrorCode, Telling>> = {
  invalid: { headline: 'That does not fit', next: 'Change it and try again.' },
  'not-found': { headline: 'Not found', next: 'Check that it still exists and that its drive is connected.' },
  conflict: { headline: 'That clashes with what is there', next: 'Nothing was overwritten. See how it stands now, then try again.' },
  unsupported: { headline: 'Not supported', next: 'Convert the file, or leave it out.' },
  'model-load': {
    headline: 'The model cannot be loaded',
    next: 'Choose another model, or run “maskloop models check” to see what is wrong with it.',
  },
  'model-run': { headline: 'The prediction failed', next: 'Your annotations are safe. Try again, or choose another model.' },
  cancelled: { headline: 'Cancelled', next: 'What was finished is kept.' },
  storage: {
    headline: 'The project file cannot be written',
    next: 'Check the free space and the permissions of the folder, then repeat the edit.',
  },
  io: { headline: 'A file cannot be read or written', next: 'Check the file and its folder, then try again.' },
  internal: {
    headline: 'Something went wrong inside Maskloop',
    next: 'Your saved work is safe. Repeat the step; if it fails again, please report it.',
  },
};

/** The file, model or id an error is about, where its message does not name it already. */
export function subjectOf(detail: ErrorDetail, message: string): string | null {
  for (const key of ['path', 'file', 'folder', 'model', 'modelId', 'key', 'id', 'imageId']) {
    const value = detail[key];
    if (value === undefined || value === null || value === '') continue;
    const text = String(value);
    return message.includes(text) ? null : /id$/i.test(key) ? `${key} ${text}` : text;
  }
  return null;
}

export interface NextStep {
  readonly label: string;
  readonly run: () => void;
}

/** Tells the user what failed, about what, and what to do; `step` is offered as a button. */
export function tellProblem(thrown: unknown, step?: NextStep): void {
  const error = toWireError(thrown);
  const telling = TELLINGS[error.code];
  if (error.code === 'cancelled') {
    toast(telling.headline, { description: telling.next });
    return;
  }
  const subject = subjectOf(error.detail, error.message);
  toast.error(telling.headline, {
    // One toast per problem: the same failure again replaces the one on show.
    id: `${error.code}:${error.message}`,
    description: [error.message, subject, telling.next].filter((part) => part !== null && part !== '').join('\n'),
    duration: 12_000,
    ...(step ? { action: { label: step.label, onClick: step.run } } : {}),
  });
  if (error.code === 'internal' && !(thrown instanceof AppError)) console.error(thrown);
}

/** `about` names what it is about, so that `forgetTold` can take it away before it goes by itself. */
export function tellGood(headline: string, description?: string, step?: NextStep, about?: string): void {
  toast.success(headline, {
    ...(about ? { id: about } : {}),
    ...(description ? { description } : {}),
    ...(step ? { action: { label: step.label, onClick: step.run } } : {}),
  });
}

/** Why nothing was measured, and how many images could be if those that are not done were taken too. */
export interface Unmeasured {
  readonly message: string;
  readonly undone: number;
}

/** `onlyDone`: only done images were asked for. The studio counts the others as `state` in the error's detail. */
export function unmeasured(thrown: unknown, onlyDone: boolean): Unmeasured {
  const { message, detail } = toWireError(thrown);
  return { message, undone: onlyDone && typeof detail['state'] === 'number' ? detail['state'] : 0 };
}

export function tellNote(headline: string, description?: string, step?: NextStep): void {
  toast(headline, {
    ...(description ? { description } : {}),
    ...(step ? { action: { label: step.label, onClick: step.run } } : {}),
  });
}

export function forgetTold(about: string): void {
  toast.dismiss(about);
}

/** Takes away what is told: it was about something that is no longer on the screen. */
export function forgetProblems(): void {
  toast.dismiss();
}
