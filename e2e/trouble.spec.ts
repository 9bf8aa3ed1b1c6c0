import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drag, saved, shownDocument } from './canvas.ts';
import { expect, test } from './host.ts';
import { writePhotos } from './photos.ts';

test('edits that cannot be saved are saved again, or given up; a damaged file says so and keeps its annotations', async ({ host }) => {
  const photos = join(host.folder, 'photos');
  const away = `${photos}-away`;
  const [, cut = ''] = await writePhotos(photos, 2);
  const bytes = await readFile(join(photos, cut));
  await writeFile(join(photos, cut), bytes.subarray(0, Math.floor(bytes.length * 0.55)));
  await host.openFolder(photos);
  const { page } = host;
  await expect.poll(() => page.evaluate(() => window.__maskloop?.document()?.imageId ?? null)).not.toBeNull();
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('Shift+C');
  await page.getByTestId('class-add-name').fill('cup');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  const box = async (left: number): Promise<void> => {
    await page.getByTestId('tool-box').click();
    await drag(page, [
      [left, 100],
      [left + 120, 220],
    ]);
  };
  await box(100);
  await saved(page, 1);
  const save = page.getByTestId('save-state');
  // The toast has the same button; the status line's stays.
  const again = page.getByRole('contentinfo').getByRole('button', { name: 'Save again' });

  await test.step('while the folder is gone an edit is not saved, and says so; back again it is', async () => {
    await rename(photos, away);
    await box(300);
    await expect(save).toHaveAttribute('data-kind', 'failed');
    await expect(save).toHaveAttribute('title', /removed or replaced/);
    await again.click();
    await expect(save).toHaveAttribute('data-kind', 'failed');
    await rename(away, photos);
    await again.click();
    await saved(page, 2);
    expect((await shownDocument(page)).annotations).toHaveLength(2);
    await expect(again).toHaveCount(0);
  });

  await test.step('an edit that is given up goes, after being asked, and what was saved stays', async () => {
    await rename(photos, away);
    await box(500);
    await expect(save).toHaveAttribute('data-kind', 'failed');
    expect((await shownDocument(page)).annotations).toHaveLength(3);
    // Not before it is given up: an edit that waits is tried again by itself too.
    await page.getByRole('contentinfo').getByRole('button', { name: 'Give up the edits' }).click();
    await expect(page.getByRole('dialog')).toContainText('This cannot be undone');
    await page.getByRole('button', { name: 'Give up', exact: true }).click();
    await expect(save).not.toHaveAttribute('data-kind', 'failed');
    await expect.poll(async () => (await shownDocument(page)).annotations.length).toBe(2);
    await rename(away, photos);
    await box(500);
    await saved(page, 3);
  });

  await test.step('a file that was cut off is shown as far as it goes, with a word, and can be worked on', async () => {
    await expect(page.getByTestId('damage-notice')).toHaveCount(0);
    await page.getByTestId('filmstrip-item').nth(1).click();
    await expect(page.getByTestId('damage-notice')).toContainText('cut off');
    await box(100);
    await saved(page, 1);
    await page.getByTestId('filmstrip-item').first().click();
    await expect(page.getByTestId('damage-notice')).toHaveCount(0);
    await expect.poll(async () => (await shownDocument(page)).annotations.length).toBe(3);
  });
});
