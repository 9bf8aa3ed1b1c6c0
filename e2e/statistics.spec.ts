import { copyFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright/test';
import { drag, saved } from './canvas.ts';
import { expect, test } from './host.ts';
import { writePhotos } from './photos.ts';

/** Goes to an option of a chart by the keys alone, and opens what is behind it. */
async function openBehind(page: Page, chart: string, text: RegExp): Promise<void> {
  const list = page.getByTestId(chart).getByRole('listbox');
  await list.focus();
  const wanted = list.getByRole('option', { name: text });
  await expect(wanted).toHaveCount(1);
  await page.keyboard.press('Home');
  for (let steps = await list.getByRole('option').count(); steps > 0; steps--) {
    if ((await wanted.getAttribute('aria-selected')) === 'true') break;
    await page.keyboard.press('ArrowRight');
  }
  await expect(wanted).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

/** The film strip and the grid show the same images: the names of those in the grid. */
async function gridNames(page: Page): Promise<string[]> {
  const grid = page.getByRole('listbox', { name: 'All images' });
  const items: Locator = grid.getByTestId('filmstrip-item');
  await expect(items.first()).toBeVisible();
  const labels = await items.evaluateAll((all) => all.map((one) => one.getAttribute('aria-label') ?? ''));
  return labels.map((label) => label.split(',')[0] ?? '').sort();
}

async function statistics(page: Page, instances: number): Promise<void> {
  await page.keyboard.press('Shift+S');
  const shown = page.getByTestId('statistics-page');
  await expect(shown).toHaveAttribute('data-instances', String(instances));
  await expect(shown).toHaveAttribute('data-busy', 'false');
}

test('statistics open the images behind them; images are divided once, and stay where they are', async ({ host }) => {
  const photos = join(host.folder, 'photos');
  const [first = '', second = '', third = '', ...rest] = await writePhotos(photos, 6);
  const late = rest[2] ?? '';
  // One comes later.
  await rename(join(photos, late), join(host.folder, late));
  await host.openFolder(photos);
  const { page } = host;
  await expect(page.getByTestId('filmstrip-item')).toHaveCount(5);
  await expect.poll(() => page.evaluate(() => window.__maskloop?.document()?.imageId ?? null)).not.toBeNull();
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('Shift+C');
  for (const name of ['cup', 'plate']) {
    await page.getByTestId('class-add-name').fill(name);
    await page.keyboard.press('Enter');
  }
  await expect(page.getByTestId('class-row')).toHaveCount(2);
  await page.keyboard.press('Escape');
  /** The tool stays in hand over images and drops the selection with the next press. */
  const box = async (left: number, side: number, revision: number): Promise<void> => {
    await page.getByTestId('tool-box').click();
    await drag(page, [
      [left, 60],
      [left + side, 60 + side],
    ]);
    await saved(page, revision);
    await page.getByTestId('tool-select').click();
    await page.keyboard.press('Escape');
  };
  const image = async (index: number): Promise<void> => {
    await page.getByTestId('filmstrip-item').nth(index).click();
    const id = Number(await page.getByTestId('filmstrip-item').nth(index).getAttribute('data-image-id'));
    await expect.poll(() => page.evaluate(() => window.__maskloop?.document()?.imageId ?? null)).toBe(id);
  };

  await test.step('two cups on the first image, a small plate on the second, nothing on the third, which is done', async () => {
    await page.getByTestId('class-row').first().click();
    await box(60, 140, 1);
    await box(300, 120, 2);
    await image(1);
    await page.getByTestId('class-row').nth(1).click();
    await box(60, 24, 1);
    await image(2);
    await page.getByTestId('canvas').focus();
    await page.keyboard.press('Control+Enter');
    await expect(page.getByTestId('filmstrip-item').nth(2)).toHaveAttribute('data-state', 'done');
  });

  await test.step('the class, the size and the count open what they counted', async () => {
    await page.getByTestId('canvas').focus();
    await statistics(page, 3);
    await openBehind(page, 'chart-classes', /^cup: 2 large instances/);
    await expect.poll(() => gridNames(page)).toEqual([first]);
    await expect(page.getByTestId('filter-chip').and(page.locator('[data-key=area]')).first()).toContainText('large');
    await statistics(page, 3);
    await openBehind(page, 'chart-sizes', /^small: 1 instance/);
    await expect.poll(() => gridNames(page)).toEqual([second]);
    await statistics(page, 3);
    await openBehind(page, 'chart-per-image', /^2: 1 image/);
    await expect.poll(() => gridNames(page)).toEqual([first]);
    await statistics(page, 3);
    await openBehind(page, 'chart-states', /^Done: 1 image without any: done and empty/);
    await expect.poll(() => gridNames(page)).toEqual([third]);
  });

  await test.step('a click on the drawn bar is the same, and a chip takes the filter away', async () => {
    await statistics(page, 3);
    const canvas = page.getByTestId('chart-sizes').locator('canvas');
    const area = await canvas.boundingBox();
    if (area === null) throw new Error('there is no chart');
    // Three bars from the top: the third, of the large ones, is the longest.
    await page.mouse.click(area.x + area.width * 0.3, area.y + area.height * 0.58);
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect.poll(() => gridNames(page)).toEqual([first]);
    await page.getByTestId('filter-chip').first().click();
    await expect(page.getByTestId('filter-chip')).toHaveCount(0);
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('filmstrip-item')).toHaveCount(5);
  });

  await test.step('the page narrows to a class', async () => {
    await statistics(page, 3);
    await page.getByLabel('Only this class').selectOption({ label: 'plate' });
    await expect(page.getByTestId('statistics-page')).toHaveAttribute('data-instances', '1');
    await openBehind(page, 'chart-per-image', /^1: 1 image/);
    await expect.poll(() => gridNames(page)).toEqual([second]);
    await page.getByTestId('filter-chip').first().click();
    await page.getByTestId('filter-chip').first().click();
    await page.keyboard.press('Escape');
  });

  const part = (name: string): Locator => page.getByTestId('split-part').and(page.locator(`[data-name=${name}]`));
  const sizes = async (): Promise<number[]> =>
    Promise.all(['train', 'val', 'test'].map(async (name) => Number(await part(name).getAttribute('data-images'))));
  const openSplits = async (on: Page): Promise<void> => {
    await on.getByTestId('statistics-open').click();
    await on.getByRole('tab', { name: 'Splits' }).click();
    await expect(on.getByTestId('splits-page')).toBeVisible();
  };

  await test.step('images are divided after a look, and frozen', async () => {
    await openSplits(page);
    await expect(page.getByTestId('split-make')).toBeDisabled();
    await page.getByLabel('Share of train').fill('40');
    await page.getByLabel('Share of val').fill('40');
    await page.getByLabel('Share of test').fill('20');
    await page.getByText('Also images that nobody has annotated').click();
    await page.getByTestId('split-preview').click();
    await expect(page.getByTestId('split-part')).toHaveCount(3);
    expect(await sizes()).toEqual([2, 2, 1]);
    await expect(page.getByTestId('splits-page')).toHaveAttribute('data-frozen', 'false');
    await page.getByTestId('split-make').click();
    await expect(page.getByTestId('splits-page')).toHaveAttribute('data-frozen', 'true');
    await part('train').click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect.poll(() => gridNames(page)).toHaveLength(2);
  });

  await test.step('over a restart, and when another image comes, none is moved', async () => {
    const before = await gridNames(page);
    await copyFile(join(host.folder, late), join(photos, late));
    await host.restart();
    await host.openFolder(photos);
    const { page: again } = host;
    await expect(again.getByTestId('filmstrip-item')).toHaveCount(6);
    await again.getByTestId('statistics-open').click();
    await openBehind(again, 'chart-splits', /^train: 2 images/);
    await expect.poll(() => gridNames(again)).toEqual(before);
    await again.getByTestId('statistics-open').click();
    await again.getByRole('tab', { name: 'Splits' }).click();
    await expect(again.getByTestId('splits-page')).toHaveAttribute('data-intact', 'true');
    await again.getByLabel('Part for the new images').selectOption({ label: 'train' });
    await again.getByTestId('split-add').click();
    const train = again.getByTestId('split-part').and(again.locator('[data-name=train]'));
    await expect(train).toHaveAttribute('data-images', '3');
    await expect(again.getByTestId('split-part').and(again.locator('[data-name=val]'))).toHaveAttribute('data-images', '2');
    await train.click();
    await expect.poll(() => gridNames(again)).toEqual([...before, late].sort());
  });

  await test.step('the division is taken away only when that is said twice', async () => {
    const { page: again } = host;
    await again.getByTestId('statistics-open').click();
    await again.getByRole('tab', { name: 'Splits' }).click();
    await again.getByRole('button', { name: 'Take it away…' }).click();
    await again.getByTestId('split-clear').click();
    await expect(again.getByTestId('splits-page')).toHaveAttribute('data-frozen', 'false');
    await again.keyboard.press('Escape');
  });
  expect(host.complaints).toEqual([]);
});
