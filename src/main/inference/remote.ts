import { availableParallelism } from 'node:os';
import type { EngineStatus, ProviderAttempt } from '../../shared/answers.ts';
import type { ErrorDetail, Reply } from '../../shared/errors.ts';
import { fromWireError, toWireError } from '../../shared/errors.ts';
import { createCatalog, modelInfo } from './catalog.ts';
import type { ChildChannel, ChildExit } from './channel.ts';
import type { Answer, Inference, Method, Request } from './inference.ts';
import type { ToChild } from './messages.ts';
import { isFromChild } from './messages.ts';
import type { ProviderChoice } from '../../shared/answers/providers.ts';
import { inferenceThreads } from './providers.ts';
import { cancelled } from './queue.ts';

export interface RemoteOptions {
  /** Starts an inference process; called again after each end of one. */
  readonly spawn: () => ChildChannel;
  readonly modelFolders: readonly string[];
  /** As `MASKLOOP_PROVIDERS`. */
  readonly providers?: string | undefined;
  readonly threads?: number;
  /** The user's choice; `providers` and `threads` go before it. */
  readonly choice?: ProviderChoice;
  /** What is kept of providers; a provider that ended a process is noted there. */
  readonly record?: { readonly folder: string; readonly refuse: (provider: string, reason: string) => Promise<void> };
  /**
   * Milliseconds before the n-th start in a row without an answer between them. After the last, it is
   * started only when something is asked.
   */
  readonly backOffMs?: readonly number[];
}

interface Pending {
  readonly message: Extract<ToChild, { kind: 'ask' }>;
  /** What the question is about, for the message of a failure. */
  readonly about: ErrorDetail;
  readonly settle: (reply: Reply<unknown>) => void;
}

const BACK_OFF_MS: readonly number[] = [200, 1000, 4000, 15_000];
const CLOSE_MS = 10_000;

/**
 * Inference in another process, behind the same port. When that process ends unasked, what it was asked
 * fails with `model-run`, a new one is started, and later questions are answered by it. A provider that
 * ended it while it was being tried is not tried again.
 */
export function createRemoteInference(options: RemoteOptions): Inference {
  const backOff = options.backOffMs ?? BACK_OFF_MS;
  const catalog = createCatalog(options.modelFolders);
  const listeners = new Set<(status: EngineStatus) => void>();
  const pending = new Map<number, Pending>();
  let refused: readonly ProviderAttempt[] = [];
  let choice = options.choice ?? null;
  /** The process goes when nothing is asked of it any more, and the next question starts one anew. */
  let retiring = false;
  let channel: ChildChannel | null = null;
  let restart: ReturnType<typeof setTimeout> | null = null;
  let endsInARow = 0;
  let trying: string | null = null;
  let lastId = 0;
  let closing: { readonly done: () => void } | null = null;
  let closed = false;
  let status: EngineStatus = {
    state: 'idle',
    provider: null,
    attempts: [],
    threads: options.threads ?? inferenceThreads(availableParallelism()),
    modelId: null,
    lastMs: null,
    lastRunMs: null,
    message: null,
  };

  function tell(next: EngineStatus): void {
    status = next;
    for (const listener of listeners) listener(status);
  }

  function start(): ChildChannel {
    const own = options.spawn();
    channel = own;
    own.onMessage((message) => {
      if (channel !== own || !isFromChild(message)) return;
      if (message.kind === 'status') tell(message.status);
      else if (message.kind === 'trying') trying = message.provider;
      else {
        endsInARow = 0;
        const asked = pending.get(message.id);
        pending.delete(message.id);
        asked?.settle(message.reply);
        if (retiring && pending.size === 0) retire(own);
      }
    });
    own.onExit((exit) => {
      if (channel === own) ended(exit);
    });
    own.send({
      kind: 'open',
      modelFolders: [...options.modelFolders],
      providers: options.providers ?? null,
      refused: [...refused],
      threads: options.threads ?? null,
      choice: choice === null ? null : { providers: choice.providers === null ? null : [...choice.providers], threads: choice.threads },
      recordFolder: options.record?.folder ?? null,
    });
    return own;
  }

  function retire(own: ChildChannel): void {
    retiring = false;
    channel = null;
    trying = null;
    own.send({ kind: 'close' });
    const timer = setTimeout(() => own.kill(), CLOSE_MS);
    own.onExit(() => clearTimeout(timer));
  }

  function ended(exit: ChildExit): void {
    channel = null;
    if (closing) {
      closing.done();
      return;
    }
    const why = exitReason(exit);
    if (trying !== null && trying !== 'cpu') {
      const reason = `the inference process stopped while it was tried (${why})`;
      refused = [...refused, { provider: trying, ok: false, reason }];
      // A comfort of the next start: without it the provider is tried once more.
      options.record?.refuse(trying, reason).catch(() => undefined);
    }
    trying = null;
    const message = `The inference process stopped (${why}).`;
    for (const asked of pending.values()) {
      asked.settle({ ok: false, error: { code: 'model-run', message, detail: { ...asked.about, processEnded: true } } });
    }
    pending.clear();
    const delay = backOff[endsInARow];
    endsInARow++;
    if (delay === undefined) {
      tell({ ...status, state: 'failed', message: `The inference process stopped ${endsInARow} times in a row (${why}).` });
      return;
    }
    tell({ ...status, state: 'restarting', message: `${message} It is started again.` });
    restart = setTimeout(restarted, delay);
  }

  function restarted(): void {
    restart = null;
    const own = start();
    for (const asked of pending.values()) own.send(asked.message);
  }

  function ask(asked: Pending): void {
    pending.set(asked.message.id, asked);
    // While a restart is due, the question waits for it.
    if (restart) return;
    (channel ?? start()).send(asked.message);
  }

  function question<M extends Method>(method: M): (request: Request<M>, signal?: AbortSignal) => Promise<Answer<M>> {
    return (request, signal) =>
      new Promise((resolve, reject) => {
        if (closed || signal?.aborted) {
          reject(cancelled());
          return;
        }
        const id = ++lastId;
        const giveUp = (): void => {
          if (!pending.delete(id)) return;
          channel?.send({ kind: 'cancel', id });
          reject(cancelled());
        };
        signal?.addEventListener('abort', giveUp, { once: true });
        ask({
          message: { kind: 'ask', id, method, request },
          about: aboutOf(request),
          settle(reply) {
            signal?.removeEventListener('abort', giveUp);
            // The other end is our own code of the same version, and answers each method with its own answer.
            if (reply.ok) resolve(reply.value as Answer<M>);
            else reject(fromWireError(reply.error));
          },
        });
      });
  }

  return {
    async models() {
      return (await catalog.list()).map(modelInfo);
    },
    predict: question('predict'),
    matte: question('matte'),
    embed: question('embed'),
    signature: question('signature'),
    examine: question('examine'),
    prompt: question('prompt'),
    measure: question('measure'),
    configure(next) {
      choice = next;
      refused = [];
      const threads = options.threads ?? next.threads ?? inferenceThreads(availableParallelism());
      tell({ ...status, provider: null, attempts: [], threads, lastMs: null, lastRunMs: null });
      retiring = channel !== null;
      if (channel !== null && pending.size === 0) retire(channel);
      return Promise.resolve();
    },
    status: () => status,
    onStatus(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      if (closed) return;
      closed = true;
      retiring = false;
      if (restart) clearTimeout(restart);
      for (const asked of pending.values()) asked.settle({ ok: false, error: toWireError(cancelled()) });
      pending.clear();
      const last = channel;
      if (!last) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => last.kill(), CLOSE_MS);
        closing = {
          done: () => {
            clearTimeout(timer);
            resolve();
          },
        };
        last.send({ kind: 'close' });
      });
    },
  };
}

function exitReason({ code, signal, said }: ChildExit): string {
  const how = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
  const last = said
    ?.trim()
    .split('\n')
    .findLast((line) => /error|terminate|what\(\)|fatal|out of memory|cannot find/i.test(line));
  return last === undefined ? how : `${how}: ${last.trim().slice(0, 300)}`;
}

/** The model and the file that a question names. */
function aboutOf(request: object): ErrorDetail {
  const named = Object.entries(request).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(named.filter(([key]) => key === 'modelId' || key === 'path'));
}
