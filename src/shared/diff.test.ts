import { describe, expect, it } from 'vitest';
import type { Diff } from './diff.ts';
import { apply, between, EMPTY_DIFF, isEmpty, reverse, squash } from './diff.ts';
import type { Annotation, Decision } from './records.ts';
import { seededRandom } from './scenes/random.ts';
import { diffSchema } from './schemas.ts';

function annotation(id: string, z = 0, x = 0): Annotation {
  return { id, labelId: 1, geometry: { kind: 'box', box: [x, 0, 4, 4] }, z, crowd: false, origin: 'drawn', suggestionId: null };
}

interface Content {
  readonly annotations: readonly Annotation[];
  readonly decisions: Readonly<Record<number, Decision>>;
}
const NOTHING: Content = { annotations: [], decisions: {} };
const diff = (part: Partial<Diff>): Diff => ({ ...EMPTY_DIFF, ...part });

describe('apply', () => {
  it('adds, changes, removes and decides in one go, sorted by height then id', () => {
    const [a, b, c] = [annotation('a', 2), annotation('b', 1), annotation('c', 1)];
    const before: Content = { annotations: [b, a], decisions: { 4: 'accepted' } };
    const lower = { ...a, z: 0 };
    const after = apply(before, {
      added: [c],
      removed: [b],
      updated: [[a, lower]],
      decided: [
        { suggestionId: 4, from: 'accepted', to: null },
        { suggestionId: 5, from: null, to: 'rejected' },
      ],
    });
    expect(after).toEqual({ annotations: [lower, c], decisions: { 5: 'rejected' } });
    expect(before.annotations).toEqual([b, a]);
  });

  const content: Content = { annotations: [annotation('here')], decisions: { 1: 'rejected' } };
  it.each<[string, Diff, string, RegExp]>([
    ['adding what is there', diff({ added: [annotation('here')] }), 'conflict', /add annotation here/],
    ['removing what is not', diff({ removed: [annotation('gone')] }), 'conflict', /remove annotation gone/],
    ['changing what is not', diff({ updated: [[annotation('gone'), annotation('gone', 2)]] }), 'conflict', /update annotation gone/],
    ['changing an id', diff({ updated: [[annotation('here'), annotation('there')]] }), 'invalid', /here became there/],
    [
      'deciding from another state',
      diff({ decided: [{ suggestionId: 1, from: null, to: 'accepted' }] }),
      'conflict',
      /Suggestion 1 is rejected/,
    ],
  ])('refuses %s', (_, change, code, message) => {
    expect(() => apply(content, change)).toThrow(message);
    expect(() => apply(content, change)).toThrow(expect.objectContaining({ code }));
  });
});

/** A change of the content as an editor would make it. */
function randomStep(content: Content, seed: number): Content {
  const random = seededRandom(seed);
  const annotations = [...content.annotations];
  const decisions = new Map(Object.entries(content.decisions).map(([id, decision]) => [Number(id), decision]));
  for (let k = random.integer(1, 3); k > 0; k--) {
    const at = random.integer(0, Math.max(0, annotations.length - 1));
    const chosen = annotations[at];
    const what = random.integer(0, 3);
    if (what === 0 || !chosen) annotations.push(annotation(`instance-${seed}-${k}`, random.integer(0, 5)));
    else if (what === 1) annotations.splice(at, 1);
    else if (what === 2) annotations[at] = annotation(chosen.id, random.integer(0, 5), seed);
    else if (random.chance(0.5)) decisions.set(random.integer(1, 6), random.pick(['accepted', 'corrected', 'rejected'] as const));
    else decisions.delete(random.integer(1, 6));
  }
  annotations.sort((a, b) => a.z - b.z || (a.id < b.id ? -1 : 1));
  return { annotations, decisions: Object.fromEntries(decisions) };
}

describe('a diff', () => {
  it('leads there and, reversed, back; one after the other squash into one', () => {
    for (let run = 0; run < 200; run++) {
      const first = randomStep(randomStep(NOTHING, run), run + 1000);
      const second = randomStep(first, run + 2000);
      const third = randomStep(second, run + 3000);
      const [there, on] = [between(first, second), between(second, third)];
      expect(apply(first, there)).toEqual(second);
      expect(apply(second, reverse(there))).toEqual(first);
      const whole = squash(there, on);
      expect(apply(first, whole), `run ${run}`).toEqual(third);
      expect(apply(third, reverse(whole))).toEqual(first);
      expect(diffSchema.parse(structuredClone(there))).toEqual(there);
    }
  });

  it('squashes two decisions into the way from the first to the last', () => {
    const one = diff({ decided: [{ suggestionId: 3, from: null, to: 'accepted' }] });
    const two = diff({ decided: [{ suggestionId: 3, from: 'accepted', to: 'corrected' }] });
    expect(squash(one, two).decided).toEqual([{ suggestionId: 3, from: null, to: 'corrected' }]);
  });

  it('is empty between equal contents, and when it is undone', () => {
    const content = apply(NOTHING, diff({ added: [annotation('one'), annotation('two', 3)] }));
    const change = between(NOTHING, content);
    expect(isEmpty(between(content, content))).toBe(true);
    expect(isEmpty(change)).toBe(false);
    expect(isEmpty(squash(change, reverse(change)))).toBe(true);
    expect(isEmpty(EMPTY_DIFF)).toBe(true);
  });
});
