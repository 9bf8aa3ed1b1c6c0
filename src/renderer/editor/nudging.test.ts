import { describe, expect, it } from 'vitest';
import type { VertexRef } from '../../shared/geometry/edit-vertex.ts';
import type { Annotation, Geometry } from '../../shared/records.ts';
import { annotationInstance } from './instances.ts';
import type { Nudging } from './nudging.ts';
import { createNudging } from './nudging.ts';
import type { Draft, Edit } from './tools/tool.ts';

const SQUARE: Geometry = { kind: 'polygon', parts: [{ outer: [10, 10, 30, 10, 30, 30, 10, 30], holes: [] }] };

function nudge(options: { locked?: boolean; vertices?: readonly VertexRef[] } = {}): {
  readonly nudging: Nudging;
  readonly commits: Edit[];
  readonly drafts: (Draft | null)[];
} {
  const annotation: Annotation = {
    id: 'a',
    labelId: 1,
    geometry: SQUARE,
    z: 0,
    crowd: false,
    origin: 'drawn',
    suggestionId: null,
  };
  const commits: Edit[] = [];
  const drafts: (Draft | null)[] = [];
  const nudging = createNudging({
    image: { width: 100, height: 50 },
    movable: options.locked ? null : annotationInstance(annotation),
    vertices: options.vertices ?? [],
    preview: (draft) => drafts.push(draft),
    commit: (edit) => commits.push(edit),
  });
  return { nudging, commits, drafts };
}

function parts(edit: Edit | undefined): readonly number[] {
  if (edit?.kind !== 'replace' || edit.geometry.kind !== 'polygon') throw new Error('a moved polygon was expected');
  return edit.geometry.parts[0]!.outer;
}

describe('nudging', () => {
  it('makes one edit of a key that repeats, when it is let go', () => {
    const { nudging, commits, drafts } = nudge();
    for (let i = 0; i < 5; i++) nudging.move(1, 0);
    nudging.move(0, 10);
    expect(commits).toEqual([]);
    expect(drafts.at(-1)).toMatchObject({ kind: 'shift', dx: 5, dy: 10 });
    nudging.end();
    nudging.end();
    expect(commits).toHaveLength(1);
    expect(parts(commits[0])).toEqual([15, 20, 35, 20, 35, 40, 15, 40]);
    expect(drafts.at(-1)).toBeNull();
    expect(nudging.active).toBe(false);
  });

  it('stops at the edge of the image and comes back from it at once', () => {
    const { nudging, commits } = nudge();
    for (let i = 0; i < 9; i++) nudging.move(0, 10);
    nudging.move(0, -1);
    nudging.end();
    expect(parts(commits[0])).toEqual([10, 29, 30, 29, 30, 49, 10, 49]);
  });

  it('makes no edit of a way there and back', () => {
    const { nudging, commits } = nudge();
    nudging.move(1, 0);
    nudging.move(-1, 0);
    nudging.end();
    expect(commits).toEqual([]);
  });

  it('moves taken vertices alone', () => {
    const { nudging, commits } = nudge({ vertices: [{ part: 0, ring: 0, point: 2 }] });
    nudging.move(1, 0);
    nudging.move(1, 1);
    nudging.end();
    expect(commits).toHaveLength(1);
    expect(parts(commits[0])).toEqual([10, 10, 30, 10, 32, 31, 10, 30]);
  });

  it('leaves what cannot be moved', () => {
    const { nudging, commits, drafts } = nudge({ locked: true });
    nudging.move(1, 0);
    nudging.end();
    expect([commits, drafts]).toEqual([[], []]);
  });
});
