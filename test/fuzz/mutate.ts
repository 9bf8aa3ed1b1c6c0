import type { Random } from '../../src/shared/scenes/random.ts';

/** Numbers that readers trip over. */
const NUMBERS = [
  '0',
  '-0',
  '-1',
  '1',
  '2',
  '0.5',
  '255',
  '65536',
  '2147483648',
  '9007199254740993',
  '1e308',
  '1e999',
  '-1e999',
  '1e-320',
  'NaN',
  '""',
  '"7"',
  'null',
  'true',
  '[]',
  '{}',
  '0x10',
  '1,5',
  '',
];
const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\n',
  '\\',
  '\\u0000',
  '\0',
  '<',
  '>',
  '/>',
  '&amp;',
  '&x;',
  '<!--',
  ']]>',
  '<!DOCTYPE a [<!ENTITY b "c">]>',
  '*a',
  '&a ',
  '- ',
  '../../',
  '/etc/passwd',
  '\u202e',
  '\ufeff',
  '💥',
];

/** One of the ways in which files get damaged, or are written wrongly; never longer than four times the file and a bit. */
export function mutate(bytes: Buffer, random: Random, other: Buffer): Buffer {
  switch (random.integer(0, 10)) {
    case 0:
      return flipped(bytes, random);
    case 1:
      return bytes.subarray(0, random.integer(0, bytes.length));
    case 2: {
      const [from, to] = span(bytes, random);
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
    }
    case 3: {
      const [from, to] = span(bytes, random);
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
    }
    case 4: {
      const [from, to] = span(other, random);
      const at = random.integer(0, bytes.length);
      return Buffer.concat([bytes.subarray(0, at), other.subarray(from, to), bytes.subarray(at)]);
    }
    case 5:
      return inserted(bytes, random.pick(TOKENS), random);
    case 6:
      return other;
    case 7:
      return replaced(bytes, /"[A-Za-z_]\w*"\s*:|<\/?[a-z]\w*|[a-z]\w*=|^[a-z]\w*:/gm, random, (found) =>
        random.pick(['', found.toUpperCase(), '"x":', found + found]),
      );
    case 8:
      return lines(bytes, random);
    default:
      return replaced(bytes, /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi, random, (found) =>
        random.pick([...NUMBERS, `-${found}`, `${found}0000`, `${found}e9`]),
      );
  }
}

function flipped(bytes: Buffer, random: Random): Buffer {
  const out = Buffer.from(bytes);
  for (let n = random.integer(1, 4); n > 0 && out.length > 0; n--) {
    const at = random.integer(0, out.length - 1);
    out[at] = random.chance(0.5) ? (out[at] ?? 0) ^ (1 << random.integer(0, 7)) : random.integer(0, 255);
  }
  return out;
}

function span(bytes: Buffer, random: Random): [number, number] {
  const from = random.integer(0, bytes.length);
  const length = random.chance(0.5) ? random.integer(0, 20) : random.integer(0, bytes.length);
  return [from, Math.min(bytes.length, from + length)];
}

function inserted(bytes: Buffer, text: string, random: Random): Buffer {
  const at = random.integer(0, bytes.length);
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(text), bytes.subarray(at)]);
}

/** Exchanges one, or many, of what the pattern finds. Bytes stay bytes: the text is Latin-1. */
function replaced(bytes: Buffer, pattern: RegExp, random: Random, by: (found: string) => string): Buffer {
  const text = bytes.toString('latin1');
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return flipped(bytes, random);
  const many = random.chance(0.1);
  const one = random.integer(0, found.length - 1);
  let n = -1;
  return Buffer.from(
    text.replace(pattern, (each) => {
      n++;
      return n === one || (many && random.chance(0.3)) ? by(each) : each;
    }),
    'latin1',
  );
}

/** Lines in another order, twice, or gone. */
function lines(bytes: Buffer, random: Random): Buffer {
  const all = bytes.toString('latin1').split('\n');
  const a = random.integer(0, all.length - 1);
  const b = random.integer(0, all.length - 1);
  const kept = random.pick([
    all.filter((_, i) => i !== a),
    all.flatMap((line, i) => (i === a ? [line, line] : [line])),
    all.map((line, i) => (i === a ? (all[b] ?? '') : i === b ? (all[a] ?? '') : line)),
  ]);
  return Buffer.from(kept.join('\n'), 'latin1');
}
