import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { drag, saved, shownDocument } from './canvas.ts';
import { expect, test } from './host.ts';
import { writePhotos } from './photos.ts';
import { PNG_SIGNATURE, shownPixels } from './pictures.ts';

test('four views of an image, tags, live counts, and their pictures', async ({ host }) => {
  const photos = join(host.folder, 'photos');
  const [first = ''] = await writePhotos(photos, 2);
  await host.openFolder(photos);
  const { page } = host;
  await expect(page.getByTestId('filmstrip-item')).toHaveCount(2);
  await expect.poll(() => page.evaluate(() => window.__maskloop?.document()?.imageId ?? null)).not.toBeNull();
  const legend = page.getByTestId('legend');

  await test.step('the legend counts what is drawn, on the image and in the project', async () => {
    await page.getByTestId('canvas').focus();
    await page.keyboard.press('Shift+C');
    for (const name of ['cup', 'plate']) {
      await page.getByTestId('class-add-name').fill(name);
      await page.keyboard.press('Enter');
    }
    await expect(page.getByTestId('class-row')).toHaveCount(2);
    await page.keyboard.press('Escape');
    await page.getByTestId('class-row').first().click();
    await page.getByTestId('tool-box').click();
    await drag(page, [
      [60, 60],
      [200, 200],
    ]);
    await saved(page, 1);
    await page.keyboard.press('Escape');
    await drag(page, [
      [160, 160],
      [300, 300],
    ]);
    await saved(page, 2);
    await page.getByTestId('tool-select').click();
    await page.keyboard.press('Escape');
    const row = page.getByTestId('legend-row');
    await expect(row).toHaveCount(1);
    await expect(row).toHaveAttribute('data-here', '2');
    await expect(row).toHaveAttribute('data-project', '2');
  });

  await test.step('each view has its key, its button and its own picture', async () => {
    const seen = new Set<string>();
    for (const [key, view] of [
      ['F1', 'tags'],
      ['F2', 'boxes'],
      ['F3', 'semantic'],
      ['F4', 'instance'],
    ] as const) {
      await page.getByTestId('canvas').focus();
      await page.mouse.move(5, 400);
      await page.keyboard.press(key);
      await expect(page.getByTestId(`view-${view}`)).toHaveAttribute('aria-checked', 'true');
      await expect(legend).toHaveAttribute('data-view', view);
      await expect
        .poll(async () => {
          const pixels = await shownPixels(page, [
            [60, 130],
            [130, 130],
            [180, 180],
          ]);
          return seen.has(pixels) ? null : pixels;
        })
        .not.toBeNull();
      seen.add(
        await shownPixels(page, [
          [60, 130],
          [130, 130],
          [180, 180],
        ]),
      );
    }
    await page.getByTestId('view-semantic').click();
    await expect(legend).toHaveAttribute('data-view', 'semantic');
    // Two instances of one class are one: the overlap is no darker.
    await expect
      .poll(async () => {
        const pixels = await shownPixels(page, [
          [180, 180],
          [240, 240],
        ]);
        const [overlap, alone] = pixels.split(' ');
        return overlap === alone && overlap !== '0,0,0,0';
      })
      .toBe(true);
  });

  await test.step('tags are set by hand, and taken back', async () => {
    await page.keyboard.press('F1');
    await page.getByTestId('tag-add').selectOption({ label: 'plate' });
    const chip = page.getByTestId('tag-chip');
    await expect(chip).toHaveAttribute('data-state', 'accepted');
    await page.getByRole('button', { name: 'The image does not show plate' }).click();
    await expect(chip).toHaveAttribute('data-state', 'rejected');
    await page.getByRole('button', { name: 'The image does not show plate' }).click();
    await expect(chip).toHaveCount(0);
    await page.getByTestId('tag-add').selectOption({ label: 'cup' });
    await expect(chip).toHaveAttribute('data-state', 'accepted');
  });

  await test.step('the view and the tags are there after a restart', async () => {
    await page.getByTestId('view-boxes').click();
    const before = await shownDocument(page);
    // Settings are written a moment after the last change, and the file is made with the first.
    const settings = join(host.folder, 'home', 'settings.json');
    await expect.poll(() => (existsSync(settings) ? readFileSync(settings, 'utf8') : '')).toContain('"boxes"');
    await host.restart();
    await host.openFolder(photos);
    await expect(host.page.getByTestId('legend')).toHaveAttribute('data-view', 'boxes');
    await expect.poll(async () => (await shownDocument(host.page)).annotations.length).toBe(before.annotations.length);
    await host.page.keyboard.press('F1');
    await expect(host.page.getByTestId('tag-chip')).toHaveAttribute('data-state', 'accepted');
  });

  await test.step('overlays and counts are written', async () => {
    const { page: again } = host;
    const out = join(host.folder, 'overlays');
    await again.keyboard.press('Control+K');
    await again.keyboard.type('Export overlays');
    await again.keyboard.press('Enter');
    await again.getByTestId('pictures-out').fill(out);
    await again.getByTestId('pictures-run').click();
    await expect(again.getByTestId('pictures-report')).toHaveAttribute('data-files', '2');
    await again.getByRole('button', { name: 'Done', exact: true }).click();
    expect(readFileSync(join(out, first.replace('.jpg', '.png'))).subarray(0, 8)).toEqual(PNG_SIGNATURE);
    await again.keyboard.press('Control+K');
    await again.keyboard.type('Export counts');
    await again.keyboard.press('Enter');
    await again.getByTestId('pictures-out').fill(out);
    await again.getByTestId('pictures-run').click();
    await expect(again.getByTestId('pictures-report')).toContainText('cup');
    expect(readFileSync(join(out, 'counts.csv'), 'utf8')).toContain(',cup,2,0\r\n');
  });
  expect(host.complaints).toEqual([]);
});
