import { AppError, toWireError } from '../../shared/errors.ts';
import { createEngine } from './engine.ts';
import { deviceKey, gpuDevices } from './gpu-devices.ts';
import type { Answer, Asking, Inference, Method } from './inference.ts';
import type { FromChild, ToChild } from './messages.ts';
import { REQUESTS, toChildSchema } from './messages.ts';
import { createProviderRecord } from './provider-record.ts';
import { ORT_VERSION } from './session-graph.ts';

/**
 * Entry of the inference process: the engine behind messages. Runs under `child_process.fork` and under
 * Electron's utilityProcess, which differ only in the port. It ends when its host does.
 */
interface ParentPort {
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): void;
  postMessage(message: FromChild): void;
}

function isParentPort(value: unknown): value is ParentPort {
  return typeof value === 'object' && value !== null && 'postMessage' in value && 'on' in value;
}

const parentPort: unknown = 'parentPort' in process ? process.parentPort : null;
const send: (message: FromChild) => void = isParentPort(parentPort)
  ? (message) => parentPort.postMessage(message)
  : (message) => process.send?.(message);

let engine: Inference | null = null;
const running = new Map<number, AbortController>();

function open(message: Extract<ToChild, { kind: 'open' }>): void {
  engine = createEngine({
    modelFolders: message.modelFolders,
    providers: message.providers ?? undefined,
    refused: message.refused,
    ...(message.threads === null ? {} : { threads: message.threads }),
    ...(message.choice === null ? {} : { choice: message.choice }),
    record: createProviderRecord({
      folder: message.recordFolder,
      ortVersion: ORT_VERSION,
      device: async () => deviceKey(await gpuDevices()),
    }),
    onTrying: (provider) => send({ kind: 'trying', provider }),
  });
  engine.onStatus((status) => send({ kind: 'status', status }));
  send({ kind: 'status', status: engine.status() });
}

function put<M extends Method>(method: M, request: unknown, signal: AbortSignal): Promise<Answer<M>> {
  if (!engine) throw new AppError('internal', 'The inference process was asked before it was opened.');
  const asking: Asking[M] = engine[method];
  return asking(REQUESTS[method].parse(request), signal);
}

async function answer({ id, method, request }: Extract<ToChild, { kind: 'ask' }>): Promise<void> {
  const abort = new AbortController();
  running.set(id, abort);
  try {
    const value = await put(method, request, abort.signal);
    send({ kind: 'answer', id, reply: { ok: true, value } });
  } catch (thrown) {
    send({ kind: 'answer', id, reply: { ok: false, error: toWireError(thrown) } });
  } finally {
    running.delete(id);
  }
}

async function close(): Promise<void> {
  await engine?.close();
  process.exit(0);
}

function receive(data: unknown): void {
  const message = toChildSchema.parse(data);
  if (message.kind === 'open') open(message);
  else if (message.kind === 'ask') void answer(message);
  else if (message.kind === 'cancel') running.get(message.id)?.abort();
  else void close();
}

if (isParentPort(parentPort)) {
  parentPort.on('message', (event) => receive(event.data));
} else {
  process.on('message', receive);
  // The host is gone, whether it said so or not.
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C in a terminal reaches the whole group; the host decides what ends when.
  process.on('SIGINT', () => undefined);
}
