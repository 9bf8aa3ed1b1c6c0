import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { gpuPackage, installedMetadata } from '../src/main/inference/gpu-package.ts';
import { startPackageFeed } from '../test/package-feed.ts';
import type { PackageFeed } from '../test/package-feed.ts';
import { expect, test } from './host.ts';
import { writePhotos } from './photos.ts';

/** Only Linux on x64 fetches libraries apart; elsewhere the page says that there is nothing to fetch. */
const WANTED = gpuPackage(installedMetadata(), process.platform, process.arch);
let feed: PackageFeed | null = null;

// The app is started by the fixture of each test, after this.
test.beforeAll(async () => {
  if (WANTED === null) return;
  // Nothing that the loader could load: the app has to go on with the CPU.
  const files = Object.fromEntries(WANTED.files.map(({ pathInPackage }) => [pathInPackage, randomBytes(200_000)]));
  feed = await startPackageFeed(WANTED.name, WANTED.version, files);
  process.env['MASKLOOP_GPU_FEED'] = feed.index;
});
test.afterAll(async () => {
  delete process.env['MASKLOOP_GPU_FEED'];
  await feed?.close();
});

test('what runs the models: order, threads, times and the GPU libraries', async ({ host }) => {
  // A dozen runs of a model, and the app is started twice.
  test.slow();
  const photos = join(host.folder, 'photos');
  await writePhotos(photos, 2);
  await host.openFolder(photos);
  const { page } = host;
  await expect.poll(() => page.evaluate(() => window.__maskloop?.document()?.imageId ?? null)).not.toBeNull();
  const status = page.getByTestId('engine-status');
  const row = (provider: string): ReturnType<typeof page.locator> =>
    page.locator(`[data-testid="provider-row"][data-provider="${provider}"]`);

  await test.step('the status line leads to the page, which says what was tried', async () => {
    await page.getByTestId('canvas').focus();
    await page.keyboard.press('i');
    await expect(status).toHaveAttribute('data-provider', /.+/, { timeout: 60_000 });
    await status.click();
    await page.getByTestId('providers-open').click();
    await expect(page.getByTestId('providers-page')).toBeVisible();
    const used = await status.getAttribute('data-provider');
    await expect(row(used ?? '')).toHaveAttribute('data-outcome', 'used');
    await expect(row('webgpu')).not.toHaveText(/Not tried yet/);
  });

  await test.step('a model is measured on the open image', async () => {
    await page.getByTestId('providers-measure').click();
    await expect(page.getByTestId('providers-measure')).toBeVisible({ timeout: 120_000 });
    await expect(page.getByTestId('provider-times').getByRole('row')).toHaveCount(2);
    await expect(page.getByTestId('provider-times')).toContainText(/\d ms|\d s/);
  });

  await test.step('a provider is left out, and threads are chosen; both hold over a restart', async () => {
    await row('webgpu').getByRole('checkbox').uncheck();
    await expect(row('webgpu')).toContainText('you left it out');
    await page.getByTestId('provider-threads').selectOption('1');
    await page.keyboard.press('Escape');
    await page.keyboard.press('i');
    await expect(status).toContainText('1 thread', { timeout: 60_000 });
    await host.restart();
    await host.page.getByTestId('welcome-recent').first().click();
    await expect.poll(() => host.page.evaluate(() => window.__maskloop?.document()?.imageId ?? null)).not.toBeNull();
    await host.page.getByTestId('canvas').focus();
    await host.page.keyboard.press('Shift+R');
    const again = host.page.locator('[data-testid="provider-row"][data-provider="webgpu"]');
    await expect(again.getByRole('checkbox')).not.toBeChecked();
    await expect(host.page.getByTestId('provider-threads')).toHaveValue('1');
    await host.page.getByRole('button', { name: 'Automatic order' }).click();
    await expect(again.getByRole('checkbox')).toBeChecked();
  });

  const now = host.page;
  if (WANTED === null || feed === null) {
    await expect(now.getByTestId('gpu-libraries')).toContainText('there is nothing to install');
    return;
  }
  const install = now.getByTestId('gpu-install');

  await test.step('an installation is cancelled, and what came is kept', async () => {
    feed!.answer = (_request, response, body) => {
      response.setHeader('content-length', body.length);
      response.write(body.subarray(0, 150_000));
    };
    await install.click();
    await expect(now.getByTestId('gpu-libraries').getByRole('progressbar')).toBeVisible();
    await expect(now.getByTestId('gpu-libraries')).toContainText('Downloading');
    await now.getByTestId('gpu-cancel').click();
    await expect(install).toContainText('Go on');
  });

  await test.step('a package that is not what its feed says is deleted, and the page says so', async () => {
    feed!.answer = null;
    feed!.sha512 = `${'A'.repeat(86)}==`;
    await install.click();
    await expect(now.getByTestId('gpu-failure')).toContainText('is not the package that its feed describes');
    await expect(install).toContainText('Download and install');
    feed!.sha512 = null;
  });

  await test.step('it is installed; models still run, since libraries that do not work are refused', async () => {
    await install.click();
    await expect(now.getByTestId('gpu-remove')).toBeVisible();
    await expect(now.getByTestId('gpu-failure')).toHaveCount(0);
    await now.keyboard.press('Escape');
    await now.getByTestId('canvas').focus();
    await now.keyboard.press('i');
    await expect(now.getByTestId('engine-status')).toHaveAttribute('data-provider', 'cpu', { timeout: 60_000 });
    await now.getByTestId('canvas').focus();
    await now.keyboard.press('Shift+R');
    await now.getByTestId('gpu-remove').click();
    await expect(install).toContainText('Download and install');
  });
  expect(host.complaints).toEqual([]);
});
