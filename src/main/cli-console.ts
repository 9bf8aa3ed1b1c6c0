import type { RunInfo } from '../shared/answers.ts';
import type { WireError } from '../shared/errors.ts';

/** Exit codes of the command line; CONTRIBUTING and the README name them too. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** The job ended, but something failed or could not be taken; it is listed. What was asked to be left out does not count. */
  partly: 3,
  cancelled: 130,
} as const;

/** 3 where something was left out that nobody had asked to leave out. */
export function exitOf(leftOut: readonly { readonly asked?: true }[]): number {
  return leftOut.some(({ asked }) => asked !== true) ? EXIT.partly : EXIT.ok;
}

export interface Console {
  readonly json: boolean;
  /** A line for people, on stdout; nothing with `--json`. */
  say(line: string): void;
  /** A line that is redrawn on a terminal, on stderr; elsewhere only `final` lines are printed. */
  progress(line: string, final?: boolean): void;
  /** The one object that `--json` prints; `bare`: without the envelope. */
  result(value: unknown, bare?: boolean): void;
  error(error: WireError): void;
}

/** Writes for people, or exactly one JSON object for machines. */
export function createConsole(json: boolean, out: NodeJS.WriteStream = process.stdout, err: NodeJS.WriteStream = process.stderr): Console {
  let open = false;
  for (const stream of [out, err]) {
    // A reader that has seen enough (`| head`) is no reason to break off a job.
    stream.on('error', (thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== 'EPIPE') throw thrown;
    });
  }
  const endProgress = (): void => {
    if (open) err.write('\r\x1b[2K');
    open = false;
  };
  return {
    json,
    say(line) {
      if (json) return;
      endProgress();
      out.write(`${visible(line)}\n`);
    },
    progress(line, final = false) {
      if (err.isTTY) {
        err.write(`\r\x1b[2K${visible(line).slice(0, (err.columns || 80) - 1)}`);
        open = true;
        if (final) {
          err.write('\n');
          open = false;
        }
      } else if (final && !json) err.write(`${visible(line)}\n`);
    },
    result(value, bare = false) {
      endProgress();
      if (json) out.write(`${JSON.stringify(bare ? value : { ok: true, value })}\n`);
    },
    error(error) {
      endProgress();
      if (json) out.write(`${JSON.stringify({ ok: false, error })}\n`);
      else {
        const about = Object.entries(error.detail).filter(([, value]) => !error.message.includes(String(value)));
        const detail = about.length === 0 ? '' : `\n  ${about.map(([key, value]) => visible(`${key}: ${String(value)}`)).join('\n  ')}`;
        err.write(`maskloop: ${visible(error.message)}${detail}\n`);
      }
    },
  };
}

/** Control characters, which a file's name may have, as `\x1b`: a terminal would obey them. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** `1 h 02 min`, `3 min 20 s`, `4.2 s` or `120 ms`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.round(seconds % 60)).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** `12 of 24 images, 87 suggestions, 1 failed, 20.1 s left` */
export function runLine(run: RunInfo): string {
  const parts = [`${run.finished} of ${count(run.total, 'image')}`, count(run.suggestions, 'suggestion')];
  if (run.failed > 0) parts.push(`${run.failed} failed`);
  if (run.msLeft !== null && run.state === 'running') parts.push(`${duration(run.msLeft)} left`);
  return parts.join(', ');
}

/** `1 image`, `2 images`, `2 classes`. */
export function count(n: number, noun: string): string {
  if (n === 1) return `1 ${noun}`;
  return `${n} ${noun}${noun.endsWith('s') ? 'es' : 's'}`;
}
