import type { Ring } from '../records.ts';

/** Text as outlines: what letters the exported overlays, the same on every machine. */
export interface Lettering {
  /** Width of a line of text at `px` pixels of type size. */
  width(text: string, px: number): number;
  /** The outlines of a line whose baseline begins at (x, y), image space, to be filled together. */
  rings(text: string, px: number, x: number, y: number): readonly Ring[];
}
