import type { CallInput, CallName, CallOutput, EventName, Events, PixelSize } from '../shared/contract.ts';
import { EVENT_NAMES, pixelPath } from '../shared/contract.ts';
import type { Reply } from '../shared/errors.ts';
import { fromWireError } from '../shared/errors.ts';

/**
 * The window's only way out. On the desktop the preload script puts a bridge on `window.maskloop`;
 * in a browser the same calls go to the host that served the page.
 */
export interface Bridge {
  /** `maskloop-pixels://project/` on the desktop. */
  readonly pixelRoot: string;
  invoke(name: string, input: unknown): Promise<Reply<unknown>>;
  /**
   * Where a dropped file lies for the studio; a browser sends it there first. Annotations are sent as a batch, each under
   * its path in what was dropped.
   */
  pathOf(file: File, annotations?: { readonly batch: string; readonly path: string }): string | Promise<Reply<string>>;
  /** Answers with the way to stop listening. */
  on(listener: (name: string, payload: unknown) => void): () => void;
}

declare global {
  interface Window {
    readonly maskloop?: Bridge;
  }
}

type Listener<N extends EventName> = (payload: Events[N]) => void;

export interface Client {
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>>;
  on<N extends EventName>(name: N, listener: Listener<N>): () => void;
  pixelUrl(imageId: number, size: PixelSize, version: string): string;
  /** Where a file that was dropped on the window lies for the studio. Throws the AppError of an upload that failed. */
  pathOf(file: File, annotations?: { readonly batch: string; readonly path: string }): Promise<string>;
}

/** Throws the AppError that the studio answered with. */
export function createClient(bridge: Bridge = window.maskloop ?? httpBridge()): Client {
  const listeners = new Map<string, Set<(payload: never) => void>>();
  bridge.on((name, payload) => {
    for (const listener of listeners.get(name) ?? []) listener(payload as never);
  });
  return {
    async call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> {
      const reply = await bridge.invoke(name, input);
      if (!reply.ok) throw fromWireError(reply.error);
      return reply.value as CallOutput<N>;
    },
    on(name, listener) {
      const set = listeners.get(name) ?? new Set<(payload: never) => void>();
      listeners.set(name, set);
      set.add(listener);
      return () => set.delete(listener);
    },
    pixelUrl: (imageId, size, version) => bridge.pixelRoot + pixelPath(imageId, size, version),
    async pathOf(file, annotations) {
      const place = await bridge.pathOf(file, annotations);
      if (typeof place === 'string') return place;
      if (!place.ok) throw fromWireError(place.error);
      return place.value;
    },
  };
}

/**
 * Calls as `POST /call/NAME` with a JSON body, events as server-sent events at `/events`. The token
 * of `maskloop serve` is exchanged for a cookie when the page is first opened.
 */
function httpBridge(): Bridge {
  return {
    pixelRoot: '/pixels/',
    async invoke(name, input) {
      let response: Response;
      try {
        response = await fetch(`/call/${name}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(input),
        });
      } catch {
        return lost('The studio does not answer. Is it still running?');
      }
      if (response.status === 401) return lost('This page is not signed in to the studio: open the address it printed.');
      return (await response.json()) as Reply<unknown>;
    },
    async pathOf(file, annotations) {
      const batch = annotations ? `?batch=${annotations.batch}` : '';
      try {
        const response = await fetch(`/upload/${encodeURIComponent(annotations?.path ?? file.name)}${batch}`, {
          method: 'POST',
          body: file,
        });
        return (await response.json()) as Reply<string>;
      } catch {
        return lost('The studio did not take the file. Is it still running?');
      }
    },
    on(listener) {
      const source = new EventSource('/events');
      for (const name of EVENT_NAMES) {
        source.addEventListener(name, (event) => listener(name, JSON.parse(event.data as string)));
      }
      return () => source.close();
    },
  };
}

function lost(message: string): Reply<never> {
  return { ok: false, error: { code: 'io', message, detail: {} } };
}
