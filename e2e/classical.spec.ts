import { join } from 'node:path';
import { contourOfRle } from '../src/shared/mask/contour.ts';
import { geometryToRle } from '../src/shared/mask/raster.ts';
import { encodeRle, maskIou, mergeRle, rleArea, rleBox } from '../src/shared/mask/rle.ts';
import type { Annotation, ImageDocument, Rle } from '../src/shared/records.ts';
import { drawScene, SAMPLE_SCENES } from '../src/shared/scenes/index.ts';
import { clickAt, drag, saved, shownDocument } from './canvas.ts';
import { expect, test } from './host.ts';
import { writePhotos } from './photos.ts';

type Point = readonly [x: number, y: number];

/** What was drawn on the photograph that the spec works on. */
function truths(): Rle[] {
  const { seed, width, height } = SAMPLE_SCENES[0]!;
  return drawScene(seed, { width, height }).objects.map(({ mask }) => encodeRle({ width, height, data: mask }));
}

test('each classical method finds what was drawn, can be dropped and undone', async ({ host }, testInfo) => {
  const photos = join(host.folder, 'photos');
  await writePhotos(photos, 1);
  await host.openFolder(photos);
  const { page } = host;
  await expect.poll(() => page.evaluate(() => window.__maskloop?.document()?.imageId ?? null), { timeout: 60_000 }).not.toBeNull();
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('Shift+C');
  await page.getByTestId('class-add-name').fill('tomato');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await page.getByTestId('canvas').focus();

  const objects = truths();
  const at = (x: number, y: number): Rle => {
    const found = objects.find((rle) => holds(rle, x, y));
    if (!found) throw new Error(`nothing lies at ${x}, ${y}`);
    return found;
  };
  const [upper, middle, lower, last] = [at(440, 180), at(565, 400), at(550, 540), at(410, 690)];
  const panel = page.getByTestId('classical-panel');
  const shot = (name: string): Promise<Buffer> => page.screenshot({ path: testInfo.outputPath(`${name}.png`) });
  /** The answer on the screen is for the parameters and hints that are set. */
  const settled = async (): Promise<void> => {
    await expect(panel).toHaveAttribute('data-found', /\d/, { timeout: 60_000 });
    await expect(panel).toHaveAttribute('data-busy', 'false', { timeout: 60_000 });
  };
  let revision = 0;

  await test.step('K-means: a preview that follows the slider, dropped with Escape, kept with Enter', async () => {
    await page.keyboard.press('k');
    await expect(panel).toHaveAttribute('data-method', 'kmeans');
    await settled();
    await expect(panel).toHaveAttribute('data-found', '4');
    await expect(page.getByTestId('classical-facts')).toHaveText(/s at \d+×\d+/);
    await page.getByTestId('classical-k').focus();
    for (let k = 4; k < 6; k++) await page.keyboard.press('ArrowRight');
    await expect(panel).toHaveAttribute('data-found', '6', { timeout: 60_000 });
    await settled();
    await shot('kmeans');
    await page.getByTestId('canvas').focus();
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('classical-keep')).toBeDisabled();
    expect((await shownDocument(page)).suggestions).toHaveLength(0);
    await page.getByTestId('classical-k').focus();
    await page.keyboard.press('ArrowLeft');
    await expect(panel).toHaveAttribute('data-found', '5', { timeout: 60_000 });
    await settled();
    await page.getByTestId('canvas').focus();
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await shownDocument(page)).suggestions.length, { timeout: 60_000 }).toBe(5);
    const { suggestions, width, height } = await shownDocument(page);
    // The clusters share no pixel and leave none.
    expect(suggestions.reduce((sum, { rle }) => sum + rleArea(rle), 0)).toBe(width * height);
    const red = mergeRle([upper, middle, lower, last], 'union');
    expect(Math.max(...suggestions.map(({ rle }) => maskIou(rle, red)))).toBeGreaterThan(0.6);
    await expect(page.getByTestId('score-shown')).toHaveText('5 of 5');
    await expect(page.getByTestId('class-row')).toHaveCount(6);
  });

  await test.step('mean shift: regions of the whole image', async () => {
    await page.getByTestId('tool-mean-shift').click();
    await expect(panel).toHaveAttribute('data-method', 'mean-shift');
    await settled();
    expect(Number(await panel.getAttribute('data-found'))).toBeGreaterThan(5);
    await shot('mean-shift');
    await page.getByTestId('canvas').focus();
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await shownDocument(page)).suggestions.length, { timeout: 60_000 }).toBeGreaterThan(10);
    const found = (await shownDocument(page)).suggestions.map(({ rle }) => rle);
    expect(Math.max(...found.map((rle) => maskIou(rle, at(295, 560))))).toBeGreaterThan(0.8);
    await expect(page.getByTestId('class-row')).toHaveCount(7);
    await page.keyboard.press('Shift+T');
  });
  await page.getByTestId('class-row').filter({ hasText: 'tomato' }).click();

  await test.step('magic wand: a click, and others with Shift; undone', async () => {
    await page.keyboard.press('y');
    await clickAt(page, [400, 150]);
    await settled();
    await page.getByTestId('classical-tolerance').focus();
    for (let step = 0; step < 18; step++) await page.keyboard.press('ArrowRight');
    await settled();
    await page.getByTestId('canvas').focus();
    await page.keyboard.down('Shift');
    for (const point of [
      [440, 145],
      [468, 125],
    ] as const)
      await clickAt(page, point);
    await page.keyboard.up('Shift');
    await settled();
    await shot('wand');
    await page.keyboard.press('Enter');
    await saved(page, (revision += 1));
    const made = newest(await shownDocument(page));
    expect(made.geometry.kind).toBe('mask');
    expect(iou(made, await shownDocument(page), upper)).toBeGreaterThan(0.8);
    await page.keyboard.press('Control+z');
    await saved(page, (revision += 1));
    expect((await shownDocument(page)).annotations).toHaveLength(0);
  });

  await test.step('intelligent scissors: four clicks near the edge, closed with Enter', async () => {
    await page.keyboard.press('s');
    for (const point of corners(middle)) await clickAt(page, point);
    await shot('scissors');
    await page.keyboard.press('Backspace');
    await clickAt(page, corners(middle)[3]!);
    await page.keyboard.press('Enter');
    await saved(page, (revision += 1));
    const made = newest(await shownDocument(page));
    expect(made.geometry.kind).toBe('polygon');
    expect(iou(made, await shownDocument(page), middle)).toBeGreaterThan(0.9);
  });

  await test.step('GrabCut: a loose box, one stroke on the object and one beside it', async () => {
    await page.keyboard.press('u');
    await page.keyboard.press('[');
    const [x, y, width, height] = rleBox(upper);
    await drag(page, [
      [x - 18, y - 15],
      [x + width / 2, y + height / 2],
      [x + width + 20, y + height + 16],
    ]);
    await settled();
    await drag(page, [
      [x + 50, y + 65],
      [x + 90, y + 70],
    ]);
    await settled();
    await page.keyboard.down('Shift');
    await drag(page, [
      [x + width + 12, y + 10],
      [x + width + 12, y + height],
    ]);
    await page.keyboard.up('Shift');
    await settled();
    await shot('grabcut');
    await page.keyboard.press('Enter');
    await saved(page, (revision += 1));
    const made = newest(await shownDocument(page));
    expect(made.geometry.kind).toBe('mask');
    expect(iou(made, await shownDocument(page), upper)).toBeGreaterThan(0.9);
  });

  await test.step('a box that is dropped leaves nothing', async () => {
    await drag(page, [
      [590, 140],
      [680, 220],
      [770, 320],
    ]);
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('classical-keep')).toBeDisabled();
    await page.keyboard.press('Enter');
    expect((await shownDocument(page)).annotations).toHaveLength(2);
  });

  await test.step('watershed: two objects and what lies around, in one edit', async () => {
    await page.keyboard.press('o');
    const strokes: readonly (readonly Point[])[] = [[...inside(middle)], [...inside(lower)]];
    await drag(page, strokes[0]!);
    await page.keyboard.press('Tab');
    await drag(page, strokes[1]!);
    await page.keyboard.down('Shift');
    await drag(page, [
      [470, 260],
      [660, 260],
      [660, 470],
      [470, 470],
      [470, 640],
      [650, 640],
      [650, 480],
    ]);
    await page.keyboard.up('Shift');
    await settled();
    await shot('watershed');
    await page.keyboard.press('Enter');
    await saved(page, (revision += 1));
    const open = await shownDocument(page);
    expect(open.annotations).toHaveLength(4);
    const [first, second] = [...open.annotations].sort((a, b) => a.z - b.z).slice(-2);
    expect(iou(first!, open, middle)).toBeGreaterThan(0.8);
    expect(iou(second!, open, lower)).toBeGreaterThan(0.8);
    await page.keyboard.press('Control+z');
    await saved(page, (revision += 1));
    expect((await shownDocument(page)).annotations).toHaveLength(2);
  });

  await page.keyboard.press('k');
  await expect(panel).toHaveCount(0);
  expect(host.complaints).toEqual([]);
});

function newest({ annotations }: ImageDocument): Annotation {
  const top = [...annotations].sort((a, b) => a.z - b.z).at(-1);
  if (!top) throw new Error('there is no instance');
  return top;
}

function iou({ geometry }: Annotation, { width, height }: ImageDocument, truth: Rle): number {
  return maskIou(geometryToRle(geometry, width, height), truth);
}

function holds(rle: Rle, x: number, y: number): boolean {
  const [left, top, width, height] = rleBox(rle);
  return x >= left && y >= top && x < left + width && y < top + height;
}

/** Places on the outline: topmost, rightmost, lowest, leftmost. */
function corners(rle: Rle): Point[] {
  const outer = contourOfRle(rle)[0]!.outer;
  const points = Array.from({ length: outer.length / 2 }, (_, i): Point => [outer[2 * i]!, outer[2 * i + 1]!]);
  const most = (worth: (point: Point) => number): Point => points.reduce((best, point) => (worth(point) > worth(best) ? point : best));
  return [most(([, y]) => -y), most(([x]) => x), most(([, y]) => y), most(([x]) => -x)];
}

/** A cross in the middle of a mask, half as large as its box. */
function inside(rle: Rle): Point[] {
  const [x, y, width, height] = rleBox(rle);
  const [cx, cy] = [x + width / 2, y + height / 2];
  return [
    [cx - width / 4, cy],
    [cx + width / 4, cy],
    [cx, cy],
    [cx, cy - height / 4],
    [cx, cy + height / 4],
  ];
}
