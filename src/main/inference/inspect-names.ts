/**
 * Class names as exporters write them into a file's metadata: Ultralytics stores Python's
 * `{0: 'person', 1: 'bicycle'}`, others JSON, a list, or names with commas between them.
 */

/** Null where the text is none of these, or its numbers are not 0, 1, 2 … */
export function parseNames(text: string): readonly string[] | null {
  const trimmed = text.trim();
  if (!/^[[{(]/.test(trimmed)) {
    const names = trimmed.split(/\s*[,\n]\s*/).filter((name) => name !== '');
    return names.length > 1 && names.every((name) => name.length <= 120) ? names : null;
  }
  const value = createReader(trimmed).whole();
  if (Array.isArray(value)) return value.every((name) => typeof name === 'string') ? value : null;
  if (!(value instanceof Map)) return null;
  const names: string[] = [];
  for (const [key, name] of value) {
    if (!/^\d+$/.test(key) || typeof name !== 'string' || Number(key) >= value.size) return null;
    names[Number(key)] = name;
  }
  return names.length === value.size && !names.includes('') ? names : null;
}

/** The numbers of `[640, 640]`, or null. */
export function parseSize(text: string): readonly number[] | null {
  const numbers = /^\[\s*(\d+)\s*,\s*(\d+)\s*\]$/.exec(text.trim());
  return numbers ? [Number(numbers[1]), Number(numbers[2])] : null;
}

type Value = string | readonly Value[] | Map<string, Value>;

/** Literals of Python and JSON: dicts, lists, tuples, strings and whole numbers; anything else is no value. */
function createReader(text: string): { whole(): Value | null } {
  let at = 0;

  function space(): void {
    while (/\s/.test(text[at] ?? '')) at++;
  }

  function take(sign: string): boolean {
    space();
    if (text[at] !== sign) return false;
    at++;
    return true;
  }

  function value(): Value | null {
    space();
    const sign = text[at];
    if (sign === '{') return dict();
    if (sign === '[' || sign === '(') return list(sign === '[' ? ']' : ')');
    if (sign === "'" || sign === '"') return quoted(sign);
    const number = /^-?\d+/.exec(text.slice(at, at + 20));
    if (!number) return null;
    at += number[0].length;
    return number[0];
  }

  function quoted(quote: string): string | null {
    let found = '';
    for (at++; at < text.length; at++) {
      const sign = text[at] ?? '';
      if (sign === quote) {
        at++;
        return found;
      }
      if (sign === '\\') {
        at++;
        const escaped = text[at] ?? '';
        if (!['\\', "'", '"'].includes(escaped)) return null;
        found += escaped;
      } else found += sign;
    }
    return null;
  }

  function list(end: string): readonly Value[] | null {
    at++;
    const found: Value[] = [];
    while (!take(end)) {
      const next = value();
      if (next === null) return null;
      found.push(next);
      if (!take(',') && text[at] !== end) return null;
    }
    return found;
  }

  function dict(): Map<string, Value> | null {
    at++;
    const found = new Map<string, Value>();
    while (!take('}')) {
      const key = value();
      if (typeof key !== 'string' || found.has(key) || !take(':')) return null;
      const next = value();
      if (next === null) return null;
      found.set(key, next);
      if (!take(',') && text[at] !== '}') return null;
    }
    return found;
  }

  return {
    whole() {
      const found = value();
      space();
      return at === text.length ? found : null;
    },
  };
}
