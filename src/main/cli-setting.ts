import { InvalidArgumentError } from 'commander';
import type { RunOptions } from '../shared/answers.ts';

/**
 * Parser of `--set name=value`, given once or more: numbers, `true` and `false` are what they look like, the
 * rest is text. What the names mean is for the model or the method to say.
 */
export function setting(text: string, before: RunOptions): RunOptions {
  const at = text.indexOf('=');
  const name = text.slice(0, at).trim();
  const value = text.slice(at + 1).trim();
  if (at < 1 || name === '' || value === '') throw new InvalidArgumentError(`"${text}" is not name=value.`);
  return { ...before, [name]: parsed(value) };
}

function parsed(value: string): string | number | boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  return /^[-+]?(\d+\.?\d*|\.\d+)$/.test(value) ? Number(value) : value;
}
