import { saved, shownDocument } from './canvas.ts';
import { expect, test } from './host.ts';

test('the sample project: predict an image, show fewer by score, accept what is shown', async ({ host }, testInfo) => {
  const { page } = host;
  await page.getByTestId('welcome-sample').click();
  await expect(page.getByTestId('project-name')).toHaveText('sample', { timeout: 120_000 });
  await expect.poll(async () => page.evaluate(() => window.__maskloop?.document()?.width ?? 0), { timeout: 120_000 }).toBeGreaterThan(0);
  // A menu that was used with the pointer leaves the keys to the image.
  await page.getByTestId('model-select').click();
  await page.getByRole('option', { name: /^Mask R-CNN scenes 1/ }).click();
  await expect(page.getByTestId('model-select')).toHaveAttribute('aria-expanded', 'false');
  await page.keyboard.press('i');
  await expect.poll(async () => (await shownDocument(page)).suggestions.length, { timeout: 120_000 }).toBeGreaterThan(1);

  const { suggestions } = await shownDocument(page);
  const shownAt = (score: number): number => suggestions.filter((suggestion) => suggestion.score >= score).length;
  await expect(page.getByTestId('score-shown')).toHaveText(`${shownAt(0.5)} of ${suggestions.length}`);
  await page.getByTestId('score-slider').focus();
  for (let step = 0; step < 20; step++) await page.keyboard.press('ArrowRight');
  await expect(page.getByTestId('score-shown')).toHaveText(`${shownAt(0.7)} of ${suggestions.length}`);

  await page.getByTestId('accept-all').click();
  await saved(page, 1);
  const after = await shownDocument(page);
  expect(after.annotations).toHaveLength(shownAt(0.7));
  expect(after.annotations.every((annotation) => annotation.origin === 'accepted')).toBe(true);
  await page.screenshot({ path: testInfo.outputPath('accepted.png') });

  // One edit: one undo takes all of it back, and the suggestions are undecided again.
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('Control+z');
  await expect(page.getByTestId('save-state')).toHaveAttribute('data-revision', '2');
  const undone = await shownDocument(page);
  expect(undone.annotations).toHaveLength(0);
  expect(undone.decisions).toEqual({});
  expect(host.complaints).toEqual([]);
});
