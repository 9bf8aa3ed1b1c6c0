import { join } from 'node:path';
import type { Page } from 'playwright/test';
import { drag, saved, selectRow, shownDocument } from './canvas.ts';
import { expect, test } from './host.ts';
import { writePhotos } from './photos.ts';

/** Right, wrong and missed as the page counts them. */
async function counts(page: Page): Promise<{ tp: number; fp: number; fn: number }> {
  const of = async (key: string): Promise<number> => Number(await page.getByTestId('evaluation-counts').getAttribute(`data-${key}`));
  return { tp: await of('tp'), fp: await of('fp'), fn: await of('fn') };
}

/** Accepts everything that is shown, and answers with the document then. */
async function acceptAll(page: Page, revision: number): Promise<Awaited<ReturnType<typeof shownDocument>>> {
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('Shift+Enter');
  await saved(page, revision);
  return shownDocument(page);
}

test('a model is measured against what was annotated, and every case opens on its image', async ({ host }, testInfo) => {
  const photos = join(host.folder, 'photos');
  await writePhotos(photos, 3);
  await host.openFolder(photos);
  const { page } = host;
  await expect(page.getByTestId('filmstrip-item')).toHaveCount(3);
  await expect.poll(() => page.evaluate(() => window.__maskloop?.document()?.imageId ?? null)).not.toBeNull();

  await test.step('without a done image there is nothing to measure, and the page says what to do', async () => {
    await page.getByTestId('predict-menu').click();
    await page.getByTestId('predict-folder').click();
    await expect(page.locator('[data-testid="filmstrip-item"][data-state="predicted"]')).toHaveCount(3, { timeout: 120_000 });
    await page.getByTestId('canvas').focus();
    await page.keyboard.press('Shift+E');
    await page.getByTestId('evaluation-run').click();
    await expect(page.getByTestId('evaluation-problem')).toContainText('3 are not done');
    await page.getByTestId('evaluation-undone').click();
    await expect(page.getByTestId('evaluation-page')).toHaveAttribute('data-images', '3');
    await expect(page.getByTestId('evaluation-done')).not.toBeChecked();
    await expect(page.getByTestId('evaluation-problem')).toHaveCount(0);
    await page.keyboard.press('Escape');
  });

  // The first image: all is right, but one, which is taken away.
  const first = await acceptAll(page, 1);
  const gone = first.annotations[0]!;
  await selectRow(page, gone.id);
  await page.keyboard.press('Delete');
  await saved(page, 2);
  await page.keyboard.press('d');
  await expect.poll(async () => (await shownDocument(page)).imageId).not.toBe(first.imageId);

  // The second one: all is right, and one was missed by the model.
  const second = await acceptAll(page, 1);
  await page.getByTestId('tool-box').click();
  await drag(page, [
    [4, 4],
    [40, 30],
  ]);
  await saved(page, 2);
  await page.keyboard.press('Escape');
  const drawn = (await shownDocument(page)).annotations.find(({ origin }) => origin === 'drawn')!;
  await page.keyboard.press('Escape');

  await test.step('both images are done', async () => {
    for (const imageId of [first.imageId, second.imageId]) {
      await page.locator(`[data-testid="filmstrip-item"][data-image-id="${imageId}"]`).click();
      await expect.poll(async () => (await shownDocument(page)).imageId).toBe(imageId);
      await page.getByTestId('canvas').focus();
      await page.keyboard.press('Control+Enter');
      await expect(page.locator(`[data-testid="filmstrip-item"][data-image-id="${imageId}"]`)).toHaveAttribute('data-state', 'done');
    }
  });

  const truths = first.annotations.length - 1 + second.annotations.length + 1;
  await test.step('the figures', async () => {
    await page.getByTestId('canvas').focus();
    await page.keyboard.press('Shift+E');
    await page.getByTestId('evaluation-run').click();
    const shown = page.getByTestId('evaluation-page');
    await expect(shown).toHaveAttribute('data-images', '2');
    await expect(shown).toHaveAttribute('data-truths', String(truths));
    await expect(shown).toContainText('1 image not done');
    await expect.poll(() => counts(page)).toEqual({ tp: truths - 1, fp: 1, fn: 1 });
    const ap = Number(await page.locator('[data-figure="AP"][data-kind="segm"]').textContent());
    expect(ap).toBeGreaterThan(0.5);
    expect(ap).toBeLessThanOrEqual(1);
    await expect(page.getByRole('listbox', { name: /Precision over recall/ })).toBeVisible();
    await page.screenshot({ path: testInfo.outputPath('figures.png') });
  });

  await test.step('thresholds act at once', async () => {
    const score = page.getByTestId('evaluation-score');
    await score.focus();
    await page.keyboard.press('End');
    await expect.poll(async () => (await counts(page)).fn).toBeGreaterThan(truths / 2);
    await page.keyboard.press('Home');
    await expect.poll(async () => (await counts(page)).fp).toBeGreaterThanOrEqual(1);
    await score.focus();
    for (let i = 0; i < 50; i++) await page.keyboard.press('ArrowRight');
    await expect.poll(() => counts(page)).toEqual({ tp: truths - 1, fp: 1, fn: 1 });
  });

  await test.step('what is wrong opens on its image, with the outline of what was found', async () => {
    const cases = page.getByTestId('evaluation-cases');
    await expect(cases).toHaveAttribute('data-total', '1');
    await cases.locator('[data-outcome="fp"]').click();
    await expect(page.getByTestId('evaluation-case')).toContainText('Wrong');
    await expect.poll(async () => (await shownDocument(page)).imageId).toBe(first.imageId);
    const outlines = page.getByTestId('evaluation-outlines');
    await expect(outlines.locator('[data-side="detection"]')).toHaveCount(1);
    // What was deleted lies on another instance, which is shown beside it.
    await expect(page.getByTestId('evaluation-case')).toContainText('found twice');
    await expect(outlines.locator('[data-side="truth"]')).toHaveCount(1);
    await page.screenshot({ path: testInfo.outputPath('wrong.png') });
  });

  await test.step('what was missed is selected there', async () => {
    await page.getByRole('button', { name: 'Evaluation', exact: true }).click();
    await page.locator('[data-outcome="fn"]').first().click();
    const cases = page.getByTestId('evaluation-cases');
    await expect(cases).toHaveAttribute('data-total', '1');
    await cases.locator('[data-outcome="fn"]').click();
    await expect.poll(async () => (await shownDocument(page)).imageId).toBe(second.imageId);
    await expect(page.locator(`[data-testid="instance-row"][data-id="${drawn.id}"]`)).toHaveAttribute('aria-selected', 'true');
    await expect(page.getByTestId('evaluation-outlines').locator('[data-side="truth"]')).toHaveCount(1);
  });

  await test.step('a cell of the confusions lists its cases, with both outlines on the image', async () => {
    await page.getByRole('button', { name: 'Evaluation', exact: true }).click();
    const diagonal = page
      .getByTestId('evaluation-confusion')
      .getByRole('button', { name: /found$/ })
      .first();
    const expected = await diagonal.textContent();
    await diagonal.click();
    const cases = page.getByTestId('evaluation-cases');
    await expect(cases).toHaveAttribute('data-total', String(expected).trim());
    await cases.locator('[data-outcome="tp"]').first().click();
    const outlines = page.getByTestId('evaluation-outlines');
    await expect(outlines.locator('[data-side="truth"]')).toHaveCount(1);
    await expect(outlines.locator('[data-side="detection"]')).toHaveCount(1);
    await page.getByRole('button', { name: 'Leave the evaluation' }).click();
    await expect(outlines).toHaveCount(0);
  });
  expect(host.complaints).toEqual([]);
});
