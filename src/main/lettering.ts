import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parse } from 'opentype.js/dist/opentype.mjs';
import type { Ring } from '../shared/records.ts';
import type { Lettering } from '../shared/views/lettering.ts';

/** Inter, one weight, by script; looked through in this order, each read when a sign asks for it. */
const SCRIPTS = ['latin', 'latin-ext', 'cyrillic', 'greek', 'vietnamese', 'cyrillic-ext', 'greek-ext'] as const;

interface Glyph {
  /** As parts of the type size. */
  readonly advance: number;
  /** At a type size of 1, baseline at y 0, y down. */
  readonly rings: readonly Ring[];
}

/** What a sign without a glyph is drawn as: an empty box, two rings that run opposite ways. */
const MISSING: Glyph = {
  advance: 0.62,
  rings: [
    [0.07, -0.72, 0.55, -0.72, 0.55, 0, 0.07, 0],
    [0.13, -0.66, 0.13, -0.06, 0.49, -0.06, 0.49, -0.66],
  ],
};
/** Straight pieces that stand for one curve; plenty at the sizes of a label. */
const STEPS = 5;

let made: Lettering | null = null;

/** Lettering in Inter from the package's own files: no font of the system is asked. Throws Node's error where they are gone. */
export function interLettering(): Lettering {
  made ??= createLettering();
  return made;
}

function createLettering(): Lettering {
  const require = createRequire(import.meta.url);
  const fonts = SCRIPTS.map((script) => require.resolve(`@fontsource/inter/files/inter-${script}-500-normal.woff`));
  const read = new Map<string, ReturnType<typeof parse>>();
  const glyphs = new Map<string, Glyph>();

  function fontAt(file: string): ReturnType<typeof parse> {
    let font = read.get(file);
    if (!font) {
      const bytes = readFileSync(file);
      font = parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      read.set(file, font);
    }
    return font;
  }

  function glyphOf(sign: string): Glyph {
    const known = glyphs.get(sign);
    if (known) return known;
    const font = fonts.map(fontAt).find((candidate) => candidate.charToGlyph(sign).index > 0);
    let glyph = MISSING;
    if (font) {
      const found = font.charToGlyph(sign);
      glyph = { advance: (found.advanceWidth ?? 0) / font.unitsPerEm, rings: flattened(found.getPath(0, 0, 1).commands) };
    }
    glyphs.set(sign, glyph);
    return glyph;
  }

  return {
    width: (text, px) => Array.from(text.normalize('NFC')).reduce((sum, sign) => sum + glyphOf(sign).advance, 0) * px,
    rings(text, px, x, y) {
      let at = x;
      return Array.from(text.normalize('NFC')).flatMap((sign) => {
        const glyph = glyphOf(sign);
        const placed = glyph.rings.map((ring) => ring.map((value, i) => (i % 2 === 0 ? at + value * px : y + value * px)));
        at += glyph.advance * px;
        return placed;
      });
    },
  };
}

type Commands = ReturnType<ReturnType<ReturnType<typeof parse>['charToGlyph']>['getPath']>['commands'];

/** A path's curves as straight pieces. */
function flattened(commands: Commands): Ring[] {
  const rings: number[][] = [];
  let ring: number[] = [];
  const curve = (at: (t: number) => readonly [number, number]): void => {
    for (let step = 1; step <= STEPS; step++) ring.push(...at(step / STEPS));
  };
  for (const command of commands) {
    const [x0, y0] = [ring.at(-2) ?? 0, ring.at(-1) ?? 0];
    switch (command.type) {
      case 'M':
        ring = [command.x, command.y];
        rings.push(ring);
        break;
      case 'L':
        ring.push(command.x, command.y);
        break;
      case 'Q':
        curve((t) => {
          const [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t * t];
          return [a * x0 + b * command.x1 + c * command.x, a * y0 + b * command.y1 + c * command.y];
        });
        break;
      case 'C':
        curve((t) => {
          const [a, b, c, d] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
          return [a * x0 + b * command.x1 + c * command.x2 + d * command.x, a * y0 + b * command.y1 + c * command.y2 + d * command.y];
        });
        break;
      case 'Z':
        break;
    }
  }
  return rings.filter((points) => points.length >= 6);
}
