import type { Rgb } from '../../shared/views/coverage.ts';
import type { DatasetSink } from './dataset.ts';
import { hexOf } from './voc-colors.ts';

/** Classes of formats that know them by name only: each name is told to the sink once. */
export interface CategorySink {
  /** The key of the class of this name. Colour and source count when it is told for the first time. */
  add(name: string, color: Rgb | string | null, source?: string | null): number;
  has(name: string): boolean;
}

export function categorySink(sink: DatasetSink): CategorySink {
  const keys = new Map<string, number>();
  return {
    has: (name) => keys.has(name),
    add(name, color, source = null) {
      const known = keys.get(name);
      if (known !== undefined) return known;
      const key = keys.size + 1;
      keys.set(name, key);
      sink.category({ key, name, color: color === null || typeof color === 'string' ? color : hexOf(color), source });
      return key;
    },
  };
}
