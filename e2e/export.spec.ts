import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeOddCoco } from './datasets.ts';
import { expect, test } from './host.ts';
import { writePhotos } from './photos.ts';

/** What the spec reads of an exported file. */
interface Coco {
  readonly images: readonly { readonly id: number; readonly file_name: string }[];
  readonly annotations: readonly { readonly id: number; readonly segmentation: unknown; readonly note?: string }[];
}

test('imported instances go out as COCO as they were, simplified with its cost, and as YOLO with what it cannot hold', async ({ host }) => {
  const { page } = host;
  const photos = join(host.folder, 'photos');
  const names = await writePhotos(photos, 2);
  const file = join(host.folder, 'odd.json');
  await writeOddCoco(file);
  await host.openFolder(photos);
  await expect(page.getByTestId('filmstrip-item')).toHaveCount(2);
  await page.keyboard.press('Control+i');
  await page.getByTestId('import-place').fill(file);
  await page.getByTestId('import-read').click();
  await page.getByTestId('import-commit').click();
  await expect(page.getByTestId('import-report')).toHaveAttribute('data-instances', '4');
  await page.getByRole('button', { name: 'Done', exact: true }).click();
  const given = JSON.parse(readFileSync(file, 'utf8')) as Coco;

  await test.step('COCO: what was not touched comes back as it was', async () => {
    const out = join(host.folder, 'coco');
    await page.keyboard.press('Control+e');
    await expect(page.getByTestId('export-out')).toHaveValue(`${photos}-coco`);
    await page.getByTestId('export-out').fill(out);
    await page.getByTestId('export-run').click();
    const report = page.getByTestId('export-report');
    await expect(report).toHaveAttribute('data-annotations', '4');
    await expect(report).toHaveAttribute('data-compared', '4');
    await expect(report).toContainText('byte for byte');
    const written = JSON.parse(readFileSync(join(out, 'annotations.json'), 'utf8')) as Coco;
    for (const annotation of written.annotations) {
      expect(annotation.segmentation).toEqual(given.annotations.find(({ id }) => id === annotation.id)?.segmentation);
    }
    expect(written.annotations.find(({ id }) => id === 101)?.note).toBe('area of another tool');
  });

  await test.step('COCO: simplified, with a preview of the cost, only done images, copied', async () => {
    const out = join(host.folder, 'simple');
    await page.getByRole('button', { name: 'Export again' }).click();
    await page.getByTestId('export-out').fill(out);
    await page.getByRole('radio', { name: 'Polygons' }).click();
    const thumb = page.getByTestId('export-simplify');
    await thumb.focus();
    for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
    const cost = page.getByTestId('export-simplify-cost');
    await expect(cost).toHaveAttribute('data-before', '160');
    expect(Number(await cost.getAttribute('data-after'))).toBeLessThan(80);
    await page.getByRole('radio', { name: 'Copy', exact: true }).click();
    await page.getByTestId('export-run').click();
    const report = page.getByTestId('export-report');
    await expect(report).toHaveAttribute('data-annotations', '4');
    await expect(report).toContainText(/Simplified.*mean IoU 0\.9/s);
    const written = JSON.parse(readFileSync(join(out, 'annotations.json'), 'utf8')) as Coco;
    expect(JSON.stringify(written).length).toBeLessThan(readFileSync(join(host.folder, 'coco', 'annotations.json'), 'utf8').length);
    const copied = written.images.map(({ file_name }) =>
      statSync(join(out, file_name.startsWith('images/') ? file_name : `images/${file_name}`)),
    );
    expect(copied.map(({ size }) => size)).toEqual(names.map((name) => statSync(join(photos, name)).size));
  });

  await test.step('an empty choice of states leaves nothing to write, and says so', async () => {
    await page.getByRole('button', { name: 'Export again' }).click();
    await page.getByTestId('export-out').fill(join(host.folder, 'done-only'));
    await page.getByRole('group', { name: 'Images by state' }).getByRole('button', { name: 'Done' }).click();
    await page.getByTestId('export-run').click();
    await expect(page.getByTestId('export-problem')).toContainText('There is nothing to write as COCO: none of 2 images is taken');
    await expect(page.getByTestId('export-problem')).toContainText('not done');
    expect(existsSync(join(host.folder, 'done-only'))).toBe(false);
    await page.getByRole('group', { name: 'Images by state' }).getByRole('button', { name: 'All' }).click();
  });

  await test.step('YOLO: its limits are said before, and what was written is read back', async () => {
    const out = join(host.folder, 'yolo');
    await page.locator('[data-testid="export-format"][data-format="yolo-seg"]').click();
    await expect(page.getByTestId('export-limits')).toContainText('Crowds are left out');
    await page.getByTestId('export-out').fill(out);
    await page.getByTestId('export-run').click();
    const report = page.getByTestId('export-report');
    await expect(report).toHaveAttribute('data-format', 'yolo-seg');
    await expect(report).toHaveAttribute('data-annotations', '4');
    await expect(report).toHaveAttribute('data-compared', '4');
    expect(existsSync(join(out, 'data.yaml'))).toBe(true);
    await page.getByRole('button', { name: 'Export again' }).click();
  });

  await test.step('a folder that cannot be written leaves everything as it was, and is named', async () => {
    const taken = join(host.folder, 'taken');
    mkdirSync(taken);
    writeFileSync(join(taken, 'mine.txt'), 'not an export');
    await page.getByTestId('export-out').fill(taken);
    await page.getByTestId('export-run').click();
    await expect(page.getByTestId('export-problem')).toContainText('taken');
    expect(readdirSync(taken)).toEqual(['mine.txt']);
  });
  expect(host.complaints).toEqual([]);
});
