import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeRgb } from '../src/main/inference/pixels.ts';
import { drag, saved, selectRow, shownDocument } from './canvas.ts';
import { expect, test } from './host.ts';
import { writePhotos } from './photos.ts';

test('an instance is cut out with a preview, then all of the folder on a colour', async ({ host }) => {
  const photos = join(host.folder, 'photos');
  const names = await writePhotos(photos, 2);
  const originals = names.map((name) => readFileSync(join(photos, name)));
  await host.openFolder(photos);
  const { page } = host;
  await expect(page.getByTestId('filmstrip-item')).toHaveCount(2);
  await expect.poll(() => page.evaluate(() => window.__maskloop?.document()?.imageId ?? null)).not.toBeNull();
  const out = join(host.folder, 'cutouts');

  await test.step('two boxes to cut out', async () => {
    await page.getByTestId('canvas').focus();
    await page.keyboard.press('Shift+C');
    await page.getByTestId('class-add-name').fill('cup');
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('class-row')).toHaveCount(1);
    await page.keyboard.press('Escape');
    await page.getByTestId('tool-box').click();
    await drag(page, [
      [60, 60],
      [200, 180],
    ]);
    await saved(page, 1);
    await page.keyboard.press('Escape');
    await drag(page, [
      [260, 100],
      [380, 220],
    ]);
    await saved(page, 2);
    await page.getByTestId('tool-select').click();
  });

  await test.step('the selected one, with a preview that follows the choices', async () => {
    const [, second] = (await shownDocument(page)).annotations;
    await selectRow(page, second!.id);
    await page.keyboard.press('Control+Shift+x');
    const preview = page.getByTestId('cutout-preview');
    await expect(preview).toContainText('-cup-2.png · 136 × 136');
    await page.getByRole('radio', { name: 'Full frame' }).click();
    await expect(preview).not.toContainText('136 × 136');
    await page.getByRole('radio', { name: 'Crop', exact: true }).click();
    await expect(preview).toContainText('136 × 136');
    await page.getByTestId('cutout-out').fill(out);
    await page.getByTestId('cutout-run').click();
    await expect(page.getByTestId('cutout-report')).toHaveAttribute('data-files', '1');
    const [file = ''] = readdirSync(out);
    expect(file).toMatch(/-cup-2\.png$/);
    expect(await decodeRgb(join(out, file))).toMatchObject({ width: 136, height: 136 });
  });

  await test.step('several at once, in one picture', async () => {
    await page.getByRole('button', { name: 'Cut out more' }).click();
    const instances = page.getByTestId('cutout-instances');
    await expect(instances.getByRole('checkbox', { name: 'cup #2' })).toBeChecked();
    await instances.getByRole('checkbox', { name: 'cup #1' }).check();
    const together = page.getByRole('checkbox', { name: 'All objects of an image in one picture' });
    await together.check();
    // From the left of the first box to the right of the second, with a margin of 8 on both sides.
    await expect(page.getByTestId('cutout-preview')).toContainText('336 × 176');
    await page.getByTestId('cutout-out').fill(join(host.folder, 'both'));
    await page.getByTestId('cutout-run').click();
    await expect(page.getByTestId('cutout-report')).toHaveAttribute('data-files', '1');
    const [file = ''] = readdirSync(join(host.folder, 'both'));
    expect(await decodeRgb(join(host.folder, 'both', file))).toMatchObject({ width: 336, height: 176 });
  });

  await test.step('the folder on a colour; the picture that is there is left, and said to be', async () => {
    await page.getByRole('button', { name: 'Cut out more' }).click();
    await page.getByRole('checkbox', { name: 'All objects of an image in one picture' }).uncheck();
    await page.getByTestId('cutout-out').fill(out);
    await page.getByRole('radio', { name: 'Whole folder' }).click();
    await page.getByRole('radio', { name: 'Colour', exact: true }).click();
    await page.getByTestId('cutout-run').click();
    const report = page.getByTestId('cutout-report');
    await expect(report).toHaveAttribute('data-files', '1');
    await expect(report).toHaveAttribute('data-skipped', '1');
    await expect(report).toContainText('is there already');
    const file = readdirSync(out).find((name) => name.includes('-cup-1'))!;
    const { data } = await decodeRgb(join(out, file));
    expect([...data.subarray(0, 3)]).toEqual([255, 255, 255]);
    await page.getByRole('button', { name: 'Done', exact: true }).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });
  names.forEach((name, i) => expect(readFileSync(join(photos, name)).equals(originals[i]!)).toBe(true));
  expect(host.complaints).toEqual([]);
});
