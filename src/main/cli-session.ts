import type { EngineStatus, ProjectInfo, RunInfo } from '../shared/answers.ts';
import type { CallInput, CallName, CallOutput, EventName, Events } from '../shared/contract.ts';
import { AppError, toWireError } from '../shared/errors.ts';
import type { Console } from './cli-console.ts';
import { count, runLine } from './cli-console.ts';
import { callStudio } from './dispatch.ts';
import type { Studio } from './studio.ts';

/** A studio as the command line drives it: the contract's calls, typed, and Ctrl-C. */
export interface Session {
  readonly studio: Studio;
  readonly console: Console;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Throws the AppError that the studio answered with. */
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>>;
}

export function createSession(studio: Studio, console: Console, signal: AbortSignal): Session {
  return {
    studio,
    console,
    signal,
    call: (name, input) => callStudio(studio, name, input),
  };
}

/** Opens the folder as a project, showing the scan on a terminal, and waits for the scan's end. */
export async function openProject(session: Session, folder: string): Promise<ProjectInfo> {
  const stop = on(session, 'scan.progress', (scan) => {
    session.console.progress(
      `Reading ${scan.folder}: ${scan.read} of ${count(scan.found, 'file')}${scan.broken > 0 ? `, ${scan.broken} broken` : ''}`,
    );
  });
  try {
    await session.call('project.open', { folder });
    await session.studio.scanned();
    session.signal.throwIfAborted();
    const project = await session.call('project.current', {});
    if (project === null) throw new AppError('internal', `${folder} was opened, but no project is open.`, { folder });
    if (project.note !== null) session.console.say(project.note);
    return project;
  } finally {
    stop();
  }
}

/**
 * Starts a run and waits for its end, showing progress. Ctrl-C cancels it: what was predicted stays,
 * and the run can be resumed. Throws `cancelled` then, and `model-run` when the whole run failed.
 */
export async function finishRun(session: Session, start: () => Promise<RunInfo>): Promise<RunInfo> {
  const stop = on(session, 'run.progress', (run) => session.console.progress(`Predicting: ${runLine(run)}`));
  try {
    const started = await start();
    const cancel = (): void => {
      session.call('predict.cancel', { runId: started.id }).catch((thrown: unknown) => session.console.error(toWireError(thrown)));
    };
    if (session.signal.aborted) cancel();
    session.signal.addEventListener('abort', cancel, { once: true });
    const run = await session.studio.runEnded(started.id);
    session.signal.removeEventListener('abort', cancel);
    if (run.state === 'cancelled') {
      throw new AppError(
        'cancelled',
        `Cancelled after ${runLine(run)}. What was predicted is kept; \`maskloop predict FOLDER --resume ${run.id}\` goes on.`,
        {
          runId: run.id,
        },
      );
    }
    return run;
  } finally {
    stop();
  }
}

/** The provider really used, how long it took, and why others were not. */
export function engineLines(status: EngineStatus): string[] {
  const used = status.provider === null ? 'no provider yet' : `provider ${status.provider}, ${count(status.threads, 'thread')}`;
  const timed =
    status.lastMs === null
      ? ''
      : `, last image ${Math.round(status.lastMs)} ms${status.lastRunMs === null ? '' : ` (${Math.round(status.lastRunMs)} ms in the model)`}`;
  const refused = status.attempts
    .filter((attempt) => !attempt.ok)
    .map((attempt) => `  ${attempt.provider} not used: ${attempt.reason ?? 'no reason given'}`);
  return [`Inference: ${used}${timed}`, ...refused];
}

/** Listens to one event of the studio; answers with the way to stop. */
export function on<N extends EventName>(session: Session, name: N, listener: (payload: Events[N]) => void): () => void {
  return session.studio.onEvent((told, payload) => {
    if (told === name) listener(payload as Events[N]);
  });
}
