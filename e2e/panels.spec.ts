import { join } from 'node:path';
import { clickAt, drag, saved, shownDocument } from './canvas.ts';
import { expect, test } from './host.ts';
import { writePhotos } from './photos.ts';

test('classes, keys held and spots clicked again, search and states', async ({ host }) => {
  const photos = join(host.folder, 'photos');
  await writePhotos(photos, 2);
  await host.openFolder(photos);
  const { page } = host;
  await expect(page.getByTestId('filmstrip-item')).toHaveCount(2);
  await expect.poll(() => page.evaluate(() => window.__maskloop?.document()?.imageId ?? null)).not.toBeNull();

  await test.step('a class is added, and one that nothing uses is removed', async () => {
    await page.getByTestId('canvas').focus();
    await page.keyboard.press('Shift+C');
    for (const name of ['cup', 'not wanted']) {
      await page.getByTestId('class-add-name').fill(name);
      await page.keyboard.press('Enter');
    }
    await expect(page.getByTestId('class-row')).toHaveCount(2);
    await page.keyboard.press('Escape');
    await page.getByTestId('class-row').nth(1).click({ button: 'right' });
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await expect(page.getByRole('dialog')).toContainText('Remove the class not wanted?');
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await expect(page.getByTestId('class-row')).toHaveCount(1);
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });

  await test.step('two boxes, one in the other: each click on the spot goes one deeper', async () => {
    await page.getByTestId('tool-box').click();
    await drag(page, [
      [100, 100],
      [300, 300],
    ]);
    await saved(page, 1);
    await page.keyboard.press('Escape');
    await drag(page, [
      [140, 140],
      [260, 260],
    ]);
    await saved(page, 2);
    await page.getByTestId('tool-select').click();
    await page.keyboard.press('Escape');
    const [large, small] = (await shownDocument(page)).annotations;
    const selected = page.locator('[data-testid="instance-row"][aria-selected="true"]');
    for (const expected of [small, large, small]) {
      await clickAt(page, [200, 200]);
      await expect(selected).toHaveAttribute('data-id', expected!.id);
    }
  });

  await test.step('an arrow key that is held is one edit', async () => {
    await page.getByTestId('canvas').focus();
    const before = (await shownDocument(page)).annotations[1]!.geometry;
    for (let i = 0; i < 7; i++) await page.keyboard.down('ArrowRight');
    await page.keyboard.up('ArrowRight');
    await saved(page, 3);
    const after = (await shownDocument(page)).annotations[1]!.geometry;
    if (before.kind !== 'box' || after.kind !== 'box') throw new Error('two boxes were expected');
    expect(after.box[0] - before.box[0]).toBeCloseTo(7, 9);
    expect(after.box.slice(1)).toEqual(before.box.slice(1));
  });

  await test.step('search and states', async () => {
    await page.getByLabel('Search images by name').fill('no such name');
    await expect(page.getByTestId('filmstrip-item')).toHaveCount(0);
    await page.getByRole('button', { name: 'Show all', exact: true }).click();
    await expect(page.getByTestId('filmstrip-item')).toHaveCount(2);
    await page.getByTestId('canvas').focus();
    await page.keyboard.press('Control+Enter');
    await expect(page.locator('[data-testid="filmstrip-item"][data-state="done"]')).toHaveCount(1);
    await page.getByRole('button', { name: 'Filter by state' }).click();
    await page.getByRole('menuitemcheckbox', { name: 'Done' }).click();
    await expect(page.getByTestId('filmstrip-item')).toHaveCount(1);
  });
  expect(host.complaints).toEqual([]);
});
