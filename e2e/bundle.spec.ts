import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeAnnotated } from './annotated.ts';
import { expect, test } from './host.ts';

const MODELS = resolve(import.meta.dirname, '..', 'models');

/** A model of ours as a training leaves it: weights of its own (a remark is added), manifest and what it saw. */
function writeTraining(folder: string, model: string, version: string, saw: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(MODELS, model, 'manifest.json'), 'utf8')) as object;
  const text = (field: number, value: string): number[] => [field, value.length, ...Buffer.from(value)];
  const remark = [...text(0x0a, 'run'), ...text(0x12, version)];
  // ModelProto.metadata_props, field 14: what is appended to a protobuf message is merged into it.
  const bytes = Buffer.concat([readFileSync(join(MODELS, model, 'model.onnx')), Buffer.from([0x72, remark.length, ...remark])]);
  writeFileSync(join(folder, 'model.onnx'), bytes);
  const file = { path: 'model.onnx', bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, id: 'photos-mask-rcnn', version, goldens: [], file }));
  writeFileSync(join(folder, 'training.json'), JSON.stringify({ train_images: saw, val_images: [] }));
  return join(folder, 'model.onnx');
}

interface Coco {
  readonly images: readonly { readonly file_name: string }[];
  readonly annotations: readonly unknown[];
}

test('a bundle is exported for retraining, and trained models come back and are measured on what was held out', async ({
  host,
}, testInfo) => {
  testInfo.setTimeout(480_000);
  const { page } = host;
  const photos = join(host.folder, 'photos');
  const out = join(host.folder, 'bundle');
  await writeAnnotated(photos, 8, join(host.folder, 'other-home'));
  await host.openFolder(photos);
  await expect(page.getByTestId('filmstrip-item')).toHaveCount(8);
  let training: readonly string[] = [];

  await test.step('export for retraining: splits are made and said, and the folder has all of it', async () => {
    await page.keyboard.press('Control+e');
    await page.locator('[data-testid=export-format][data-format=mask-rcnn]').click();
    await page.getByTestId('export-out').fill(out);
    await page.getByTestId('export-run').click();
    const report = page.getByTestId('export-report');
    await expect(report).toHaveAttribute('data-format', 'mask-rcnn', { timeout: 60_000 });
    await expect(report).toHaveAttribute('data-images', '8');
    await expect(report).toContainText('divided by class');
    const read = (split: string): Coco => JSON.parse(readFileSync(join(out, 'dataset', 'annotations', `${split}.json`), 'utf8')) as Coco;
    const parts = ['train', 'val', 'test'].filter((split) => existsSync(join(out, 'dataset', 'annotations', `${split}.json`)));
    expect(parts).toContain('test');
    training = read('train').images.map(({ file_name: name }) => name);
    const all = parts.flatMap((split) => read(split).images.map(({ file_name: name }) => name));
    expect(new Set(all).size).toBe(8);
    expect(readdirSync(join(out, 'dataset', 'images')).sort()).toEqual([...all].sort());
    const instances = parts.reduce((sum, split) => sum + read(split).annotations.length, 0);
    await expect(report).toHaveAttribute('data-compared', String(instances));
    for (const name of ['README.md', 'train_torchvision.py', 'train_detectron2.py', 'categories.json'])
      expect(readdirSync(out)).toContain(name);
    await page.getByRole('button', { name: 'Done', exact: true }).click();
  });

  await test.step('a model without its manifest is refused with what to do', async () => {
    await page.keyboard.press('Shift+M');
    await page.getByTestId('model-return').click();
    const bare = join(host.folder, 'bare.onnx');
    copyFileSync(join(MODELS, 'mask-rcnn-scenes', 'model.onnx'), bare);
    await page.getByTestId('return-path').fill(bare);
    await page.getByTestId('return-run').click();
    await expect(page.getByTestId('return-problem')).toContainText('manifest.json');
  });

  await test.step('the first model that comes back has nothing to be compared with', async () => {
    await page.getByTestId('return-path').fill(writeTraining(join(host.folder, 'run-1'), 'mask-rcnn-scenes-zoo', 'first', training));
    await page.getByTestId('return-run').click();
    const report = page.getByTestId('return-report');
    await expect(report).toHaveAttribute('data-model-id', 'photos-mask-rcnn', { timeout: 120_000 });
    await expect(report).toHaveAttribute('data-former', '');
    expect(Number(await report.getAttribute('data-ap'))).toBeGreaterThan(0.3);
  });

  await test.step('the next one is shown beside it, with what each class gained', async () => {
    await page.getByRole('button', { name: 'Bring another one back' }).click();
    await expect(page.getByTestId('return-history')).toHaveAttribute('data-count', '1');
    await page.getByTestId('return-path').fill(writeTraining(join(host.folder, 'run-2'), 'mask-rcnn-scenes', 'second', training));
    await page.getByTestId('return-run').click();
    const report = page.getByTestId('return-report');
    await expect(report).toHaveAttribute('data-model-id', 'photos-mask-rcnn-2', { timeout: 120_000 });
    await expect(report).toHaveAttribute('data-former', 'photos-mask-rcnn');
    expect(Number(await report.getAttribute('data-ap'))).toBeGreaterThan(0.3);
    expect(Number(await report.getAttribute('data-former-ap'))).toBeGreaterThan(0.3);
    await expect(report).not.toContainText('trained on');
    await page.screenshot({ path: testInfo.outputPath('returned.png') });
    await page.getByTestId('return-use').click();
    await expect(page.getByTestId('model-select')).toContainText('Mask R-CNN scenes');
  });

  await test.step('a model that saw the held-out images is named, and the history stays', async () => {
    await host.restart();
    const { page: again } = host;
    await host.openFolder(photos);
    await expect(again.getByTestId('filmstrip-item')).toHaveCount(8);
    const held = readdirSync(photos).filter((name) => name.endsWith('.jpg') && !training.includes(name));
    await again.keyboard.press('Shift+M');
    await again.getByTestId('model-return').click();
    await expect(again.getByTestId('return-history')).toHaveAttribute('data-count', '3');
    await again.getByTestId('return-former').selectOption('-');
    await again.getByTestId('return-path').fill(writeTraining(join(host.folder, 'run-3'), 'mask-rcnn-scenes', 'second', held));
    await again.getByTestId('return-run').click();
    const report = again.getByTestId('return-report');
    await expect(report).toContainText('trained on', { timeout: 120_000 });
    // What is right and wrong is that of the measured run, on the images that it was measured on.
    const measured = Number(await report.getAttribute('data-ap'));
    await again.getByTestId('return-look').click();
    await expect(again.getByTestId('evaluation-page')).toBeVisible({ timeout: 60_000 });
    await expect(again.getByTestId('evaluation-source')).toHaveValue(/^run:\d+$/);
    await expect(again.getByTestId('evaluation-split')).toHaveValue('test');
    await expect(again.getByTestId('evaluation-figures')).toContainText(measured.toFixed(3));
  });
  expect(host.complaints).toEqual([]);
});
