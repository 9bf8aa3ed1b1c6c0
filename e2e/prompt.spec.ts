import { cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright/test';
import { mkdir, writeFile } from 'node:fs/promises';
import { encodeJpeg } from '../src/main/inference/pixels.ts';
import type { MasksDraft } from '../src/renderer/editor/tools/draft.ts';
import { encodeRle, maskIou, rleArea } from '../src/shared/mask/rle.ts';
import type { Rle } from '../src/shared/records.ts';
import { clickAt, drag, saved, shownDocument } from './canvas.ts';
import type { Host } from './host.ts';
import { expect, test } from './host.ts';

const WIDTH = 640;
const HEIGHT = 480;
/** A network that knows no more than colours, with the very signature of SAM 1: see `make_tiny_sam.py`. */
const MODEL = resolve(import.meta.dirname, '..', 'test', 'tiny-prompts', 'tiny-sam');

type Inside = (x: number, y: number) => boolean;
const inDisc =
  (cx: number, cy: number, radius: number): Inside =>
  (x, y) =>
    Math.hypot(x + 0.5 - cx, y + 0.5 - cy) < radius;
const inSquare =
  (left: number, top: number, side: number): Inside =>
  (x, y) =>
    x >= left && x < left + side && y >= top && y < top + side;

/** A plate with a rim a little lighter than its middle, and a blue box. */
const PLATE = inDisc(200, 220, 130);
const MIDDLE = inDisc(200, 220, 80);
const BOX = inSquare(420, 120, 128);

function maskOf(inside: Inside): Rle {
  const data = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => (inside(i % WIDTH, Math.floor(i / WIDTH)) ? 1 : 0));
  return encodeRle({ width: WIDTH, height: HEIGHT, data });
}

async function writePictures(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, background] of [
    ['one.jpg', 118],
    ['two.jpg', 96],
  ] as const) {
    const data = new Uint8Array(3 * WIDTH * HEIGHT);
    for (let i = 0; i < WIDTH * HEIGHT; i++) {
      const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
      const colour = MIDDLE(x, y)
        ? [180, 40, 40]
        : PLATE(x, y)
          ? [200, 70, 60]
          : BOX(x, y)
            ? [30, 60, 190]
            : Array<number>(3).fill(background);
      data.set(colour, 3 * i);
    }
    await writeFile(join(folder, name), await encodeJpeg({ width: WIDTH, height: HEIGHT, data }, 95));
  }
}

async function openPictures(host: Host, folder: string): Promise<void> {
  await host.openFolder(folder);
  await expect(host.page.getByTestId('filmstrip-item')).toHaveCount(2);
  await expect.poll(() => host.page.evaluate(() => window.__maskloop?.document()?.imageId ?? null)).not.toBeNull();
  await host.page.getByTestId('canvas').focus();
}

function draftOf(page: Page): Promise<MasksDraft | null> {
  return page.evaluate(() => {
    const draft = window.__maskloop?.draft() ?? null;
    return draft?.kind === 'masks' ? draft : null;
  });
}

/** Waits for an answer to the last prompt that is not being improved any more; the mask on show. */
async function answered(page: Page, marks: number): Promise<Rle> {
  await expect
    .poll(async () => {
      const draft = await draftOf(page);
      if (!draft || draft.faint || draft.pending || draft.pill?.includes('closer')) return -1;
      return draft.candidates.length > 0 ? (draft.marks?.length ?? 0) : -1;
    })
    .toBe(marks);
  const draft = await draftOf(page);
  const shown = draft?.candidates[draft.chosen];
  if (!shown) throw new Error('no mask is shown');
  return shown;
}

test('an object is pointed out, corrected and accepted; a box; everything; a second visit', async ({ host }, testInfo) => {
  // Three starts of the app, and a thousand prompts for everything.
  test.setTimeout(600_000);
  const pictures = join(host.folder, 'pictures');
  await writePictures(pictures);
  const shot = (name: string): Promise<Buffer> => host.page.screenshot({ path: testInfo.outputPath(`${name}.png`) });

  await test.step('without a model the window says where to get one', async () => {
    await openPictures(host, pictures);
    await host.page.keyboard.press('q');
    await expect(host.page.getByTestId('prompt-bar')).toContainText('No model for prompts');
    await expect(host.page.getByText('Prompts need a SAM model')).toBeVisible();
    await host.page.keyboard.press('Shift+C');
    await host.page.getByTestId('class-add-name').fill('plate');
    await host.page.keyboard.press('Enter');
    await expect(host.page.getByTestId('class-row')).toHaveCount(1);
    await host.page.keyboard.press('Escape');
  });

  await cp(MODEL, join(host.folder, 'home', 'models', 'tiny-sam'), { recursive: true });
  await host.restart();
  await openPictures(host, pictures);
  const { page } = host;

  await test.step('the mask under the pointer is previewed, and is no draft yet', async () => {
    await page.keyboard.press('q');
    await expect(page.getByTestId('prompt-state')).toHaveAttribute('data-state', 'ready', { timeout: 60_000 });
    const box = (await page.getByTestId('canvas').boundingBox())!;
    await expect
      .poll(async () => {
        await page.mouse.move(box.x + box.width / 2 + Math.random(), box.y + box.height / 2);
        return (await draftOf(page))?.faint ?? false;
      })
      .toBe(true);
    await shot('1-preview');
  });

  const whole = await test.step('a click answers with candidates; Tab steps through them', async () => {
    await clickAt(page, [200, 220]);
    const first = await answered(page, 1);
    const draft = (await draftOf(page))!;
    expect(draft.candidates.length).toBeGreaterThan(1);
    const ious = draft.candidates.map((rle) => maskIou(rle, maskOf(PLATE)));
    const best = ious.indexOf(Math.max(...ious));
    expect(ious[best]).toBeGreaterThan(0.9);
    await shot('2-candidates');
    for (let step = 0; step < (best - draft.chosen + ious.length) % ious.length; step++) await page.keyboard.press('Tab');
    const shown = await answered(page, 1);
    expect(shown).toEqual(draft.candidates[best]);
    if (best !== draft.chosen) expect(shown).not.toEqual(first);
    return shown;
  });

  await test.step('a right click takes the rim away, Backspace brings it back', async () => {
    await clickAt(page, [200, 325], 'right');
    const middle = await answered(page, 2);
    await shot('3-negative');
    expect((await draftOf(page))?.marks?.[1]?.positive).toBe(false);
    expect(maskIou(middle, maskOf(MIDDLE))).toBeGreaterThan(0.85);
    expect(rleArea(middle)).toBeLessThan(rleArea(whole));
    await page.keyboard.press('Backspace');
    expect(await answered(page, 1)).toEqual(whole);
  });

  await test.step('Enter makes it an instance with exactly these pixels, Undo takes it back', async () => {
    await page.keyboard.press('Enter');
    await saved(page, 1);
    const { annotations } = await shownDocument(page);
    expect(annotations).toMatchObject([{ geometry: { kind: 'mask', rle: whole }, suggestionId: null }]);
    expect(maskIou(whole, maskOf(PLATE))).toBeGreaterThan(0.9);
    await page.keyboard.press('Control+z');
    await expect(page.getByTestId('save-state')).toHaveAttribute('data-revision', '2');
    expect((await shownDocument(page)).annotations).toEqual([]);
  });

  await test.step('Esc drops what was found', async () => {
    await clickAt(page, [480, 180]);
    await answered(page, 1);
    await page.keyboard.press('Escape');
    await expect.poll(async () => (await draftOf(page))?.marks ?? null).toBeNull();
    expect((await shownDocument(page)).revision).toBe(2);
  });

  await test.step('a box around an object, accepted', async () => {
    await page.keyboard.press('w');
    await drag(page, [
      [405, 105],
      [500, 200],
      [560, 262],
    ]);
    const mask = await answered(page, 0);
    expect(maskIou(mask, maskOf(BOX))).toBeGreaterThan(0.9);
    await shot('4-box');
    await page.keyboard.press('Enter');
    await saved(page, 3);
    expect((await shownDocument(page)).annotations).toMatchObject([{ geometry: { kind: 'mask', rle: mask } }]);
  });

  await test.step('everything on the image, cancelled', async () => {
    await page.keyboard.press('Shift+Q');
    await page.getByTestId('run-cancel').click();
    await expect(page.getByTestId('run-progress')).toHaveCount(0);
    expect((await shownDocument(page)).suggestions).toEqual([]);
  });

  await test.step('everything on the image, as suggestions', async () => {
    await page.getByTestId('prompt-everything').click();
    await expect.poll(async () => (await shownDocument(page)).suggestions.length, { timeout: 120_000 }).toBeGreaterThan(1);
    const { suggestions, annotations } = await shownDocument(page);
    expect(annotations).toHaveLength(1);
    const found = Math.max(...suggestions.map(({ rle }) => maskIou(rle, maskOf(PLATE))));
    expect(found).toBeGreaterThan(0.85);
    await expect(page.getByTestId('class-row').filter({ hasText: 'object' })).toHaveCount(1);
    await shot('5-everything');
  });

  await test.step('a second visit prompts from the cache, also after a restart', async () => {
    await host.restart();
    await openPictures(host, pictures);
    await host.page.keyboard.press('q');
    const state = host.page.getByTestId('prompt-state');
    await expect(state).toHaveAttribute('data-state', 'ready', { timeout: 60_000 });
    await expect(state).toHaveAttribute('data-cached', 'true');
    await clickAt(host.page, [200, 220]);
    await answered(host.page, 1);
  });
  expect(host.complaints).toEqual([]);
});
