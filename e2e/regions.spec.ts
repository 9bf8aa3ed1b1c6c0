import { join } from 'node:path';
import type { Page } from 'playwright/test';
import { shownDocument } from './canvas.ts';
import { expect, test } from './host.ts';
import { writePhotos } from './photos.ts';

/** Classes of the suggestions of the newest run that the open image has, once there is another than `before`. */
async function proposed(page: Page, before: number): Promise<{ run: number; labels: number[] }> {
  const newest = async (): Promise<number> => Math.max(0, ...(await shownDocument(page)).suggestions.map((suggestion) => suggestion.runId));
  await expect.poll(newest, { timeout: 120_000 }).toBeGreaterThan(before);
  const run = await newest();
  const { suggestions } = await shownDocument(page);
  return { run, labels: suggestions.filter((suggestion) => suggestion.runId === run).map((suggestion) => suggestion.labelId) };
}

test('a map becomes one suggestion for each piece, or one for each class', async ({ host }) => {
  const photos = join(host.folder, 'photos');
  await writePhotos(photos, 1);
  await host.openFolder(photos);
  const { page } = host;
  await expect.poll(() => page.evaluate(() => window.__maskloop?.document()?.imageId ?? null)).not.toBeNull();

  const choose = async (model: RegExp): Promise<void> => {
    await page.getByTestId('model-select').click();
    await page.getByRole('option', { name: model }).click();
  };
  const regions = page.getByTestId('predict-regions');

  await choose(/^Mask R-CNN nuts/i);
  await page.getByTestId('predict-menu').click();
  await expect(page.getByTestId('predict-folder')).toBeVisible();
  await expect(regions).toHaveCount(0);
  await page.keyboard.press('Escape');

  await choose(/^DeepLabV3/i);
  await page.getByTestId('predict-image').click();
  const pieces = await proposed(page, 0);

  await page.getByTestId('predict-menu').click();
  await expect(regions.getByRole('menuitemradio', { name: 'As the model proposes' })).toHaveAttribute('aria-checked', 'true');
  await regions.getByRole('menuitemradio', { name: 'One for each class' }).click();
  await expect(regions.getByRole('menuitemradio', { name: 'One for each class' })).toHaveAttribute('aria-checked', 'true');
  await page.keyboard.press('Escape');
  await page.getByTestId('predict-image').click();
  const classes = await proposed(page, pieces.run);

  expect(classes.labels.length).toBe(new Set(classes.labels).size);
  expect(pieces.labels.length).toBeGreaterThan(classes.labels.length);
});
