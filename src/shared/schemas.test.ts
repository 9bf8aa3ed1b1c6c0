import { describe, expect, it } from 'vitest';
import { AppError, fromWireError, toWireError } from './errors.ts';
import { classColor, oklchToHex } from './palette.ts';
import { annotationSchema, colorSchema, geometrySchema, hotkeySchema, labelNameSchema, ringSchema } from './schemas.ts';

describe('schemas', () => {
  const annotation = {
    id: '0b9f6c1e-8f40-4a52-9b5e-000000000001',
    labelId: 1,
    geometry: { kind: 'polygon', parts: [{ outer: [0, 0, 1, 0, 1, 1], holes: [] }] },
    z: 0,
    crowd: false,
    origin: 'drawn',
    suggestionId: null,
  };

  it('take a whole annotation', () => {
    expect(annotationSchema.parse(annotation)).toEqual(annotation);
  });

  it.each([
    ['labelId', 0],
    ['labelId', 1.5],
    ['z', NaN],
    ['crowd', 0],
    ['origin', 'guessed'],
    ['suggestionId', undefined],
    ['id', 'short'],
    ['geometry', { kind: 'polygon', parts: [] }],
    ['geometry', { kind: 'polygon', parts: [{ outer: [0, 0, 1, 0], holes: [] }] }],
    ['geometry', { kind: 'circle' }],
    ['geometry', { kind: 'box', box: [0, 0, -1, 4] }],
    ['geometry', { kind: 'mask', rle: { size: [0, 4], counts: '' } }],
  ])('refuse %s = %o and name it', (key, value) => {
    const result = annotationSchema.safeParse({ ...annotation, [key]: value });
    expect(result.success).toBe(false);
    expect(result.error?.issues[0]?.path[0]).toBe(key);
  });

  it('refuse rings that are no pairs or no numbers', () => {
    expect(ringSchema.safeParse([0, 0, 1, 0, 1, 1, 2]).success).toBe(false);
    expect(ringSchema.safeParse([0, 0, 1, 0, 1, Infinity]).success).toBe(false);
  });

  it('keep holes and parts', () => {
    const geometry = {
      kind: 'polygon',
      parts: [
        { outer: [0, 0, 9, 0, 9, 9], holes: [[5, 1, 8, 1, 8, 4]] },
        { outer: [20, 0, 29, 0, 29, 9], holes: [] },
      ],
    };
    expect(geometrySchema.parse(geometry)).toEqual(geometry);
  });

  it('know colours, hotkeys and names', () => {
    expect([colorSchema.safeParse('#12aB9f').success, colorSchema.safeParse('red').success]).toEqual([true, false]);
    expect([hotkeySchema.safeParse('9').success, hotkeySchema.safeParse('0').success, hotkeySchema.safeParse(null).success]).toEqual([
      true,
      false,
      true,
    ]);
    expect(labelNameSchema.parse('  nut ')).toBe('nut');
    expect(labelNameSchema.safeParse('   ').success).toBe(false);
  });
});

describe('palette', () => {
  it('gives every class a colour of its own, always the same', () => {
    const colors = Array.from({ length: 60 }, (_, i) => classColor(i));
    for (const color of colors) expect(colorSchema.safeParse(color).success).toBe(true);
    expect(new Set(colors).size).toBe(60);
    expect(Array.from({ length: 60 }, (_, i) => classColor(i))).toEqual(colors);
  });

  it('turns OKLCH into sRGB (values of Ottosson’s own page)', () => {
    expect(oklchToHex(1, 0, 0).toLowerCase()).toBe('#ffffff');
    expect(oklchToHex(0, 0, 0)).toBe('#000000');
    expect(oklchToHex(0.627955, 0.257683, 29.2339).toLowerCase()).toBe('#ff0000');
  });
});

describe('errors', () => {
  it('cross the wire whole', () => {
    const error = new AppError('not-found', 'There is no image 7.', { imageId: 7 });
    const back = fromWireError(structuredClone(toWireError(error)));
    expect(back).toMatchObject({ code: 'not-found', message: 'There is no image 7.', detail: { imageId: 7 } });
  });

  it('keep what strangers throw', () => {
    expect(toWireError(new RangeError('too long'))).toEqual({ code: 'internal', message: 'too long', detail: { name: 'RangeError' } });
    expect(toWireError('broken')).toEqual({ code: 'internal', message: 'broken', detail: {} });
    expect(toWireError(new DOMException('stop', 'AbortError')).code).toBe('cancelled');
  });
});
