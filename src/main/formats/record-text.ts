import { AppError } from '../../shared/errors.ts';
import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './json-bytes.ts';

/** One member of a JSON object's text: its key, and where its value lies (`from` up to `to`, without space around it). */
export interface TextMember {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

/**
 * The members of an object's text in its order, a key that is there twice twice. Only brackets and strings are looked at:
 * `text` must be JSON that was parsed before. Throws `invalid` where it is no object or ends early.
 */
export function textMembers(text: string): TextMember[] {
  const end = text.length;
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== OPEN_BRACE) throw broken(text);
  const members: TextMember[] = [];
  at = skipSpace(text, at + 1);
  while (at < end && text.charCodeAt(at) !== CLOSE_BRACE) {
    const key = at;
    at = endOfString(text, at);
    const name = text.slice(key, at);
    at = skipSpace(text, at);
    if (text.charCodeAt(at) !== COLON) throw broken(text);
    const from = skipSpace(text, at + 1);
    const to = endOfValue(text, from);
    // Most keys have no escape in them.
    members.push({ key: name.includes('\\') ? String(JSON.parse(name)) : name.slice(1, -1), from, to });
    at = skipSpace(text, to);
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1);
  }
  if (at >= end) throw broken(text);
  return members;
}

/** The text of a member's value (the last one of that key, as `JSON.parse` takes it), or null. */
export function memberText(text: string, members: readonly TextMember[], key: string): string | null {
  for (let i = members.length - 1; i >= 0; i--) {
    const member = members[i];
    if (member?.key === key) return text.slice(member.from, member.to);
  }
  return null;
}

/**
 * The text with some values replaced, everything else as it stands: spaces, the order, other members. A key that is not
 * there is added at the end; one that is there twice is replaced in both places.
 */
export function withMembers(text: string, members: readonly TextMember[], changes: ReadonlyMap<string, string>): string {
  if (changes.size === 0) return text;
  let out = '';
  let done = 0;
  const present = new Set<string>();
  for (const { key, from, to } of members) {
    const value = changes.get(key);
    present.add(key);
    if (value === undefined) continue;
    out += text.slice(done, from) + value;
    done = to;
  }
  let added = '';
  for (const [key, value] of changes) {
    if (!present.has(key)) added += `${members.length > 0 || added !== '' ? ', ' : ''}${JSON.stringify(key)}: ${value}`;
  }
  if (added === '') return out + text.slice(done);
  const last = members.at(-1);
  const place = last ? last.to : text.indexOf('{') + 1;
  return out + text.slice(done, place) + added + text.slice(place);
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return at;
}

/** Behind the closing quote of the string that begins at `from`. */
function endOfString(text: string, from: number): number {
  if (text.charCodeAt(from) !== QUOTE) throw broken(text);
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
  throw broken(text);
}

/** A quote, what opens, what closes. */
const STRUCTURE = ['"', '{', '[', '}', ']'];

function placeOf(text: string, character: string, from: number): number {
  const at = text.indexOf(character, from);
  return at < 0 ? Infinity : at;
}

function endOfValue(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === QUOTE) return endOfString(text, from);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    let at = from;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || code <= 0x20) break;
    }
    return at;
  }
  // Long lists of numbers are jumped over: only the next place of each character that matters is looked for.
  const next = STRUCTURE.map((character) => placeOf(text, character, from));
  let depth = 0;
  for (;;) {
    let which = 0;
    for (let i = 1; i < next.length; i++) if ((next[i] ?? 0) < (next[which] ?? 0)) which = i;
    const at = next[which] ?? Infinity;
    if (at === Infinity) break;
    let after = at + 1;
    if (which === 0) {
      after = endOfString(text, at);
      // Brackets inside of the string don't count.
      for (let i = 1; i < next.length; i++) if ((next[i] ?? 0) < after) next[i] = placeOf(text, STRUCTURE[i] ?? '', after);
    } else if (which <= 2) depth++;
    else if (--depth === 0) return after;
    next[which] = placeOf(text, STRUCTURE[which] ?? '', after);
  }
  throw broken(text);
}

function broken(text: string): AppError {
  return new AppError('invalid', `No whole JSON object: ${text.slice(0, 80)}`);
}
