import { toWireError } from '../../shared/errors.ts';
import type { Answer, Answered, Ask, AskKind } from './tools/ask.ts';

/** What a question is asked about. */
export interface AskContext {
  readonly imageId: number;
  /** Aborted when nobody wants the answer any more. */
  readonly signal: AbortSignal;
}

/** Answers one kind of question. */
export interface Resolver<K extends AskKind> {
  /**
   * What a newer question does to one that is under way. `replace`: it is asked at once, and the older
   * answer is not wanted any more. `newest`: one at a time; of those that come meanwhile only the newest
   * is asked, when the answer is there (previews that follow the cursor).
   */
  readonly order: 'replace' | 'newest';
  /** A failure is not told: nobody asked for it by hand. */
  readonly quiet?: boolean;
  answer(ask: Ask<K>, context: AskContext): Promise<Answer<K>>;
}

/** Carries a tool's questions to who can answer them, and the answers back. */
export interface Asking {
  /** Whose answers a kind gets from now on. */
  answers<K extends AskKind>(kind: K, resolver: Resolver<K>): void;
  ask(ask: Ask): void;
  /** Nothing that was asked until now is answered any more. */
  drop(): void;
}

export interface AskingContext {
  /** The open image, or null. */
  readonly imageId: number | null;
  /** Gives the tool what was answered. */
  deliver(answered: Answered): void;
  /** A question failed, and not because nobody wanted the answer. */
  failed(thrown: unknown): void;
}

/** The questions of one kind. */
interface Lane {
  put(ask: Ask): void;
  drop(): void;
}

export function createAsking(context: AskingContext): Asking {
  const lanes = new Map<AskKind, Lane>();

  function createLane<K extends AskKind>(kind: K, resolver: Resolver<K>): Lane {
    let running: AbortController | null = null;
    let waiting: Ask<K> | null = null;

    async function run(ask: Ask<K>, imageId: number): Promise<void> {
      const control = new AbortController();
      running = control;
      let answered: Answer<K> | null = null;
      let failure: { readonly thrown: unknown } | null = null;
      try {
        answered = await resolver.answer(ask, { imageId, signal: control.signal });
      } catch (thrown) {
        failure = { thrown };
      }
      if (control.signal.aborted) return;
      running = null;
      if (answered) context.deliver(answered);
      if (failure) fail(ask, failure.thrown);
      const next = waiting;
      waiting = null;
      if (next) put(next);
    }

    function fail(ask: Ask<K>, thrown: unknown): void {
      const { code, message } = toWireError(thrown);
      if (code !== 'cancelled' && !resolver.quiet) context.failed(thrown);
      context.deliver({ kind: 'answer-failed', of: kind, id: ask.id, message });
    }

    function put(ask: Ask): void {
      const { imageId } = context;
      if (imageId === null || !isOf(ask, kind)) return;
      if (running && resolver.order === 'newest') {
        waiting = ask;
        return;
      }
      running?.abort();
      void run(ask, imageId);
    }

    return {
      put,
      drop() {
        running?.abort();
        running = null;
        waiting = null;
      },
    };
  }

  return {
    answers(kind, resolver) {
      lanes.get(kind)?.drop();
      lanes.set(kind, createLane(kind, resolver));
    },
    ask: (ask) => lanes.get(ask.kind)?.put(ask),
    drop() {
      for (const lane of lanes.values()) lane.drop();
    },
  };
}

function isOf<K extends AskKind>(ask: Ask, kind: K): ask is Ask<K> {
  return ask.kind === kind;
}
