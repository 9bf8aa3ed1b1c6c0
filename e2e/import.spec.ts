import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright/test';
import { saved, shownDocument } from './canvas.ts';
import { writeClassMap, writeCutOff, writeOddCoco } from './datasets.ts';
import { drop } from './drop.ts';
import type { Host } from './host.ts';
import { expect, test } from './host.ts';
import { writePhotos } from './photos.ts';

async function openPhotos(host: Host): Promise<string> {
  const photos = join(host.folder, 'photos');
  await writePhotos(photos, 2);
  await host.openFolder(photos);
  await expect(host.page.getByTestId('filmstrip-item')).toHaveCount(2);
  await expect.poll(() => host.page.evaluate(() => window.__maskloop?.document()?.imageId ?? null)).not.toBeNull();
  return photos;
}

/** Reads a place to its plan, as a user does with the keyboard. */
async function readPlan(page: Page, place: string): Promise<void> {
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('Control+i');
  await page.getByTestId('import-place').fill(place);
  await expect(page.getByTestId('import-format')).toHaveAttribute('data-found', 'coco');
  await page.getByTestId('import-read').click();
  await expect(page.getByTestId('import-plan')).toBeVisible();
}

async function finish(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Done', exact: true }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

test('a file with faults is read, looked through, imported, and undone on an image', async ({ host }) => {
  const { page } = host;
  const photos = await openPhotos(host);
  const file = join(host.folder, 'from-elsewhere', 'odd.json');
  await writeOddCoco(file);

  await test.step('the plan says what comes in, and nothing is in the project yet', async () => {
    await readPlan(page, file);
    const plan = page.getByTestId('import-plan');
    await expect(plan).toHaveAttribute('data-instances', '4');
    await expect(plan).toHaveAttribute('data-images', '2');
    await expect(plan).toHaveAttribute('data-missing', '1');
    await expect(plan).toContainText('3 classes');
    expect((await shownDocument(page)).annotations).toEqual([]);
    await expect(page.getByTestId('class-row')).toHaveCount(0);
  });

  await test.step('what is left out is found by its reason and by its id', async () => {
    const left = page.locator('[data-testid="finding-group"][data-kind="refused"]');
    await expect(left.first()).toBeVisible();
    await left.first().click();
    await expect(page.locator('[data-testid="finding-row"]:not([data-kind="refused"])')).toHaveCount(0);
    await page.getByRole('button', { name: /^Everything/ }).click();
    await page.getByTestId('finding-search').fill('105');
    await expect(page.locator('[data-testid="finding-row"]:not([data-id="105"])')).toHaveCount(0);
    await expect(page.locator('[data-testid="finding-row"][data-id="105"][data-kind="refused"]')).toHaveCount(1);
    await page.getByTestId('finding-search').fill('no such words');
    await expect(page.getByTestId('findings')).toContainText('Nothing here');
  });

  await test.step('imported, the instances are on the image and in the list', async () => {
    await page.getByTestId('import-commit').click();
    const report = page.getByTestId('import-report');
    await expect(report).toHaveAttribute('data-instances', '4');
    await expect(report).toHaveAttribute('data-images', '2');
    await finish(page);
    await expect(page.locator('[data-testid="instance-row"][data-state="imported"]')).toHaveCount(2);
    await expect(page.getByTestId('class-row')).toHaveCount(3);
    const [first] = (await shownDocument(page)).annotations;
    expect(first?.geometry.kind).toBe('polygon');
    expect(existsSync(join(photos, '.maskloop', 'project.db'))).toBe(true);
  });

  await test.step('the report can be read again', async () => {
    await page.getByRole('button', { name: 'Report', exact: true }).click();
    await expect(page.getByTestId('import-report')).toHaveAttribute('data-instances', '4');
    await finish(page);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('Report of the last import');
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('import-report')).toBeVisible();
    await finish(page);
  });

  await test.step('undo takes an image’s instances back, redo brings them again', async () => {
    await page.getByTestId('canvas').focus();
    await page.keyboard.press('Control+z');
    await expect(page.getByTestId('instance-row')).toHaveCount(0);
    await saved(page, 2);
    await page.keyboard.press('Control+Shift+z');
    await expect(page.getByTestId('instance-row')).toHaveCount(2);
    await saved(page, 3);
  });

  await test.step('the same file again: images with instances are named, and what becomes of them is chosen', async () => {
    await readPlan(page, file);
    const skip = page.locator('[data-testid="import-conflict"][data-choice="skip"]');
    await expect(skip.getByRole('radio')).toBeChecked();
    await page.getByRole('button', { name: 'Show the images' }).click();
    await expect(page.getByRole('list', { name: 'Images with instances' }).getByRole('listitem')).toHaveCount(2);
    await page.locator('[data-testid="import-conflict"][data-choice="replace"]').click();
    await page.getByTestId('import-commit').click();
    await expect(page.getByTestId('import-report')).toHaveAttribute('data-instances', '4');
    await expect(page.getByTestId('import-report')).toContainText('Replaced');
    await finish(page);
    await expect(page.getByTestId('instance-row')).toHaveCount(2);
  });

  await test.step('the whole import is taken back: what it replaced is there again', async () => {
    await page.keyboard.press('Control+k');
    await page.keyboard.type('Take an import back');
    await page.keyboard.press('Enter');
    const undo = page.getByTestId('import-undo');
    await expect(undo).toHaveAttribute('data-instances', '4');
    await expect(undo).toHaveAttribute('data-left', '0');
    await expect(page.getByRole('list', { name: 'Imports' }).getByRole('listitem')).toHaveCount(2);
    await page.getByTestId('import-undo-run').click();
    await expect(undo).toHaveAttribute('data-over', 'true');
    await expect(undo).toContainText('Brought back');
    await finish(page);
    await expect(page.getByTestId('instance-row')).toHaveCount(2);
  });

  await test.step('an image that was edited since stays when the other import goes', async () => {
    await page.locator('[data-testid="instance-row"]').first().click();
    await page.keyboard.press('Delete');
    await expect(page.getByTestId('instance-row')).toHaveCount(1);
    await saved(page, 6);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('Take an import back');
    await page.keyboard.press('Enter');
    const undo = page.getByTestId('import-undo');
    await expect(undo).toHaveAttribute('data-images', '1');
    await expect(undo).toHaveAttribute('data-left', '1');
    await expect(undo).toContainText('It was edited since');
    await page.getByTestId('import-undo-run').click();
    await expect(undo).toHaveAttribute('data-over', 'true');
    await finish(page);
    await expect(page.getByTestId('instance-row')).toHaveCount(1);
  });
  expect(host.complaints).toEqual([]);
});

test('a file that is cut off changes nothing, one that is dropped is read, and a dataset opens from the first page', async ({ host }) => {
  const { page } = host;
  const file = join(host.folder, 'from-elsewhere', 'odd.json');
  await writeOddCoco(file);
  const cut = join(host.folder, 'from-elsewhere', 'cut.json');
  await writeCutOff(cut);

  await test.step('from the first page: annotations and the folder of their images', async () => {
    const photos = join(host.folder, 'photos');
    await writePhotos(photos, 2);
    await page.getByTestId('welcome-dataset').click();
    await page.getByTestId('import-place').fill(file);
    await expect(page.getByTestId('import-images')).toHaveValue(join(host.folder, 'from-elsewhere'));
    await page.getByTestId('import-images').fill(photos);
    await page.getByTestId('import-read').click();
    await expect(page.getByTestId('project-name')).toHaveText('photos');
    await expect(page.getByTestId('import-plan')).toHaveAttribute('data-instances', '4');
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect(page.getByTestId('class-row')).toHaveCount(0);
  });

  await test.step('half a file is refused as a whole, with its name and the place', async () => {
    await page.getByTestId('import-open').click();
    await page.getByTestId('import-place').fill(cut);
    await page.getByTestId('import-format').selectOption('coco');
    await page.getByTestId('import-read').click();
    const problem = page.getByTestId('import-problem');
    await expect(problem).toContainText('cut.json');
    await expect(page.getByTestId('import-plan')).toHaveCount(0);
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('class-row')).toHaveCount(0);
    expect((await shownDocument(page)).annotations).toEqual([]);
  });

  await test.step('a file that is dropped on the window is asked about', async () => {
    await drop(page, host, [file]);
    await expect(page.getByTestId('import-place')).toHaveValue(host.kind === 'desktop' ? file : /annotations-.*odd\.json$/);
    await expect(page.getByTestId('import-format')).toHaveAttribute('data-found', 'coco');
    await page.getByTestId('import-read').click();
    await page.getByLabel('Images that get instances are done').check();
    await page.getByTestId('import-commit').click();
    await expect(page.getByTestId('import-report')).toHaveAttribute('data-instances', '4');
    await finish(page);
    await expect(page.locator('[data-testid="filmstrip-item"][data-state="done"]')).toHaveCount(2);
  });

  await test.step('from its report it can be taken back, and come again', async () => {
    await page.getByRole('button', { name: 'Report', exact: true }).click();
    await page.getByTestId('import-undo-open').click();
    await page.getByTestId('import-undo-run').click();
    await expect(page.getByTestId('import-undo')).toHaveAttribute('data-over', 'true');
    await finish(page);
    await expect(page.getByTestId('instance-row')).toHaveCount(0);
    await expect(page.getByTestId('class-row')).toHaveCount(0);
    await expect(page.locator('[data-testid="filmstrip-item"][data-state="done"]')).toHaveCount(0);
    // What was told of it went with it.
    await expect(page.getByRole('button', { name: 'Report', exact: true })).toHaveCount(0);
    await readPlan(page, file);
    await page.getByTestId('import-commit').click();
    await expect(page.getByTestId('import-report')).toHaveAttribute('data-instances', '4');
    await finish(page);
  });

  await test.step('what is neither is said', async () => {
    await drop(page, host, [
      join(host.folder, 'photos', readdirSync(join(host.folder, 'photos')).find((name) => name.endsWith('.jpg')) ?? ''),
    ]);
    await expect(page.getByText('That is neither a model nor annotations')).toBeVisible();
  });

  await test.step('it is all there after a restart', async () => {
    await host.restart();
    await host.openFolder(join(host.folder, 'photos'));
    await expect(host.page.locator('[data-testid="instance-row"][data-state="imported"]')).toHaveCount(2);
    expect(readFileSync(file, 'utf8')).toContain('area of another tool');
  });
  expect(host.complaints).toEqual([]);
});

test('a class map comes in as one instance a class, or as one for each piece', async ({ host }) => {
  const { page } = host;
  await openPhotos(host);
  const maps = join(host.folder, 'maps');
  await writeClassMap(maps);
  const plan = page.getByTestId('import-plan');
  const regions = page.getByTestId('import-regions');

  await page.getByTestId('import-open').click();
  await page.getByTestId('import-place').fill(maps);
  await expect(page.getByTestId('import-format')).toHaveAttribute('data-found', 'class-masks');
  await expect(regions.getByRole('radio', { name: 'One a class' })).toHaveAttribute('aria-checked', 'true');
  await page.getByTestId('import-read').click();
  await expect(plan).toHaveAttribute('data-instances', '2');
  await expect(plan).toContainText('do not tell instances apart');

  await page.getByRole('button', { name: 'Back', exact: true }).click();
  await regions.getByRole('radio', { name: 'One a piece' }).click();
  await page.getByTestId('import-read').click();
  await expect(plan).toHaveAttribute('data-instances', '3');
  await page.getByTestId('import-commit').click();
  await expect(page.getByTestId('import-report')).toHaveAttribute('data-instances', '3');
  await finish(page);

  const labels = (await shownDocument(page)).annotations.map(({ labelId }) => labelId);
  expect([...new Set(labels)].map((id) => labels.filter((label) => label === id).length).sort()).toEqual([1, 2]);
  await test.step('of a dataset without one image of the folder only the classes come in, and the button says so', async () => {
    const elsewhere = join(host.folder, 'elsewhere.json');
    const image = { id: 1, file_name: 'elsewhere.jpg', width: 40, height: 30 };
    const annotation = { id: 1, image_id: 1, category_id: 1, segmentation: [[1, 1, 20, 1, 20, 20]], iscrowd: 0 };
    const categories = ['nut', 'bolt'].map((name, i) => ({ id: i + 1, name }));
    writeFileSync(elsewhere, JSON.stringify({ images: [image], annotations: [annotation], categories }));
    await readPlan(page, elsewhere);
    await expect(plan).toContainText('None of its images is in the project’s folder');
    await expect(page.getByTestId('import-commit')).toHaveText('Import its classes only');
    await page.getByTestId('import-commit').click();
    await expect(page.getByTestId('import-report')).toHaveAttribute('data-instances', '0');
    await finish(page);
    await expect(page.getByText('2 classes imported, no instances')).toBeVisible();
    await expect(page.getByTestId('class-row')).toHaveCount(4);
  });

  // Formats whose files tell instances apart do not ask.
  const file = join(host.folder, 'from-elsewhere', 'odd.json');
  await writeOddCoco(file);
  await page.getByTestId('import-open').click();
  await page.getByTestId('import-place').fill(file);
  await expect(page.getByTestId('import-format')).toHaveAttribute('data-found', 'coco');
  await expect(regions).toHaveCount(0);
  expect(host.complaints).toEqual([]);
});
