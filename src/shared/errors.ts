/**
 * One error type for everything a user can meet. Made where it happens, turned into wire form in one
 * function, and switched exhaustively where it is shown. `detail` names the file, key or id.
 */
export const ERROR_CODES = [
  'invalid',
  'not-found',
  'conflict',
  'unsupported',
  'model-load',
  'model-run',
  'cancelled',
  'storage',
  'io',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** Plain data beside an error: what it is about. Must survive JSON and structured cloning. */
export type ErrorDetail = Readonly<Record<string, string | number | boolean | null>>;

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail: ErrorDetail;
}

/** Electron drops the fields of a rejected invoke (electron #24427), so replies are flat envelopes. */
export type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: WireError };

export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.detail = detail;
  }
}

/** Anything thrown, as wire form. An unknown throw is `internal` and keeps its message. */
export function toWireError(thrown: unknown): WireError {
  if (thrown instanceof AppError) return { code: thrown.code, message: thrown.message, detail: thrown.detail };
  if (thrown instanceof Error) {
    if (thrown.name === 'AbortError') return { code: 'cancelled', message: 'Cancelled.', detail: {} };
    return { code: 'internal', message: thrown.message || thrown.name, detail: { name: thrown.name } };
  }
  return { code: 'internal', message: String(thrown), detail: {} };
}

/** The inverse, on the receiving side. */
export function fromWireError(wire: WireError): AppError {
  return new AppError(wire.code, wire.message, wire.detail);
}
