import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { Locator, Page } from 'playwright/test';
import type { Host } from './host.ts';
import { drop } from './drop.ts';
import { expect, test } from './host.ts';
import { writePhotos } from './photos.ts';

const ROOT = resolve(import.meta.dirname, '..');
const UNET = join(ROOT, 'models', 'unet-nuclei');

/** A server of weights on this machine; `answer` decides what each request meets. */
interface Weights {
  readonly url: string;
  readonly ranges: string[];
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  close(): Promise<void>;
}

async function serveWeights(): Promise<Weights> {
  const server: Server = createServer((request, response) => {
    weights.ranges.push(request.headers.range ?? '');
    weights.answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const weights: Weights = {
    url: `http://127.0.0.1:${port}/weights.onnx`,
    ranges: [],
    answer: (_request, response) => void response.writeHead(404).end(),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
  return weights;
}

/** The whole of `data`, or from where a range begins. */
function whole(data: Buffer): Weights['answer'] {
  return ({ headers }, response) => {
    const from = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
    const range = from > 0 ? { 'content-range': `bytes ${from}-${data.length - 1}/${data.length}` } : {};
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': data.length - from, ...range });
    response.end(data.subarray(from));
  };
}

/** The beginning, and then silence or a broken line. */
function part(data: Buffer, bytes: number, then: 'wait' | 'break'): Weights['answer'] {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': data.length });
    response.write(data.subarray(0, bytes), () => {
      if (then === 'break') setTimeout(() => response.destroy(), 50);
    });
  };
}

/** A model like unet-nuclei, whose weights are elsewhere; its manifest lies in the app's model folder. */
function offer(host: Host, id: string, file: Buffer, url: string, license = 'Apache-2.0'): void {
  const manifest = JSON.parse(readFileSync(join(UNET, 'manifest.json'), 'utf8')) as Record<string, unknown>;
  const sha256 = createHash('sha256').update(file).digest('hex');
  const folder = join(host.folder, 'home', 'models', id);
  mkdirSync(folder, { recursive: true });
  const own = { id, name: `Model ${id}`, license, goldens: [], sources: [{ kind: 'url', url }] };
  const weights = { path: 'weights.onnx', bytes: file.length, sha256 };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, ...own, file: weights }));
}

function rowOf(page: Page, id: string): Locator {
  return page.locator(`[data-testid="model-row"][data-model-id="${id}"]`);
}

async function openModels(page: Page): Promise<void> {
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('Shift+M');
  await expect(page.getByRole('dialog', { name: 'Models' })).toBeVisible();
}

async function openPhotos(host: Host): Promise<void> {
  const photos = join(host.folder, 'photos');
  await writePhotos(photos, 2);
  await host.openFolder(photos);
  await expect(host.page.getByTestId('filmstrip-item')).toHaveCount(2);
  await expect.poll(() => host.page.evaluate(() => window.__maskloop?.document()?.imageId ?? null)).not.toBeNull();
}

test('weights are fetched: progress, cancel, what breaks, what is wrong, and the licence', async ({ host }) => {
  const model = readFileSync(join(UNET, 'model.onnx'));
  const server = await serveWeights();
  const { page } = host;
  try {
    offer(host, 'good', model, server.url);
    offer(host, 'strict', model, server.url, 'AGPL-3.0');
    await openPhotos(host);
    await openModels(page);
    const good = rowOf(page, 'good');

    await test.step('progress is shown, and cancel leaves nothing', async () => {
      server.answer = part(model, 700_000, 'wait');
      await expect(good).toHaveAttribute('data-state', 'to-fetch');
      await good.getByTestId('model-get').click();
      await expect(good).toHaveAttribute('data-state', 'fetching');
      await expect(good.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '700000');
      await expect(good).toContainText(`0.7 of ${(model.length / 1e6).toFixed(1)} MB`);
      await good.getByTestId('model-cancel').click();
      await expect(good).toHaveAttribute('data-state', 'to-fetch');
      expect(readdirSync(join(host.folder, 'home', 'models', 'good'))).toEqual(['manifest.json']);
    });

    await test.step('an address that is not there is said, with what to do', async () => {
      server.answer = (_request, response) => void response.writeHead(404).end();
      await good.getByTestId('model-get').click();
      await expect(good.getByTestId('model-failure')).toContainText('404');
      await expect(good.getByTestId('model-failure')).toContainText('try again');
    });

    await test.step('another file of the same size is refused by its hash', async () => {
      server.answer = whole(randomBytes(model.length));
      await good.getByTestId('model-get').click();
      await expect(good.getByTestId('model-failure')).toContainText('is not the file of the manifest');
      expect(readdirSync(join(host.folder, 'home', 'models', 'good'))).toEqual(['manifest.json']);
    });

    await test.step('a truncated one is refused before it comes', async () => {
      server.answer = whole(model.subarray(0, 1_000_000));
      await good.getByTestId('model-get').click();
      await expect(good.getByTestId('model-failure')).toContainText('offers 1000000 bytes');
    });

    await test.step('a line that breaks is taken up where it broke', async () => {
      const before = server.ranges.length;
      server.answer = (request, response) =>
        (server.ranges.length === before + 1 ? part(model, 900_000, 'break') : whole(model))(request, response);
      await good.getByTestId('model-get').click();
      await expect(good).toHaveAttribute('data-state', 'ready');
      expect(server.ranges.slice(before)).toEqual(['', expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
      expect(readFileSync(join(host.folder, 'home', 'models', 'good', 'weights.onnx')).equals(model)).toBe(true);
    });

    await test.step('a licence that is not permissive is agreed to first', async () => {
      const strict = rowOf(page, 'strict');
      server.answer = whole(model);
      const before = server.ranges.length;
      await strict.getByTestId('model-get').click();
      await expect(strict).toContainText('AGPL-3.0 is not a permissive licence');
      await expect(strict.getByRole('button', { name: 'Agree and download' })).toBeDisabled();
      await strict.getByRole('button', { name: 'Not now' }).click();
      await expect(strict.getByTestId('model-agree')).toHaveCount(0);
      expect(server.ranges).toHaveLength(before);
      await strict.getByTestId('model-get').click();
      await strict.getByTestId('model-agree').check();
      await strict.getByRole('button', { name: 'Agree and download' }).click();
      await expect(strict).toHaveAttribute('data-state', 'ready');
    });

    await test.step('what came can be used at once', async () => {
      await good.getByTestId('model-use').click();
      await page.keyboard.press('Escape');
      await expect(page.getByTestId('model-select')).toContainText('Model good');
      await page.getByTestId('predict-image').click();
      await expect(page.getByTestId('engine-status')).toHaveAttribute('data-provider', /.+/);
    });
    expect(host.complaints).toEqual([]);
  } finally {
    await server.close();
  }
});

function answer(page: Page, key: string): Locator {
  return page.locator(`[data-testid="model-field"][data-key="${key}"]`).locator('select, input, textarea');
}

test('a model of one’s own is dropped, asked about, tried, kept, and predicts', async ({ host }) => {
  const { page } = host;
  await openPhotos(host);
  const file = join(host.folder, 'my-nuclei.onnx');
  copyFileSync(join(UNET, 'model.onnx'), file);
  const models = join(host.folder, 'home', 'models');

  await test.step('what is no model is said, and leaves nothing', async () => {
    const broken = join(host.folder, 'broken.onnx');
    writeFileSync(broken, readFileSync(file).subarray(0, 100_000));
    await drop(page, host, [broken]);
    await expect(page.getByTestId('model-problem')).toContainText('broken.onnx');
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });

  await test.step('what the file cannot say is asked', async () => {
    await drop(page, host, [file]);
    await expect(page.getByRole('dialog')).toContainText('my-nuclei.onnx');
    await expect(page.getByTestId('model-try')).toBeDisabled();
    await answer(page, 'family').selectOption('semantic');
    await expect(page.locator('[data-testid="model-field"][data-key="variant"]')).toHaveAttribute('data-certainty', 'read');
    await expect(answer(page, 'variant')).toHaveValue('sigmoid');
    await answer(page, 'normalisation').selectOption('unit');
    await answer(page, 'color').selectOption('rgb');
    await answer(page, 'labels').fill('bright thing');
    await answer(page, 'license').selectOption('LicenseRef-own');
    await expect(page.getByTestId('model-try')).toBeEnabled();
  });

  await test.step('it is tried on the open image', async () => {
    await page.getByTestId('model-try').click();
    const report = page.getByTestId('model-report');
    await expect(report).toHaveAttribute('data-provider', /.+/);
    await expect(report.getByRole('img')).toHaveAttribute('src', /^data:image\/jpeg;base64,/);
    expect(existsSync(join(models, 'my-nuclei'))).toBe(false);
  });

  await test.step('kept, it is a model like any other', async () => {
    await page.getByTestId('model-keep').click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    expect(readdirSync(join(models, 'my-nuclei')).sort()).toEqual(['manifest.json', 'my-nuclei.onnx']);
    await expect(page.getByTestId('model-select')).toContainText('my-nuclei');
    await page.getByTestId('predict-image').click();
    await expect(page.getByTestId('engine-status')).toHaveAttribute('data-provider', /.+/);
    await expect(page.getByTestId('engine-status')).toContainText(/\d m?s/);
  });

  await test.step('discarded, nothing of it stays', async () => {
    await drop(page, host, [file]);
    await expect(page.getByRole('dialog')).toContainText('my-nuclei.onnx');
    await page.getByTestId('model-discard').click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    expect(readdirSync(models)).toEqual(['my-nuclei']);
    const drafts = join(host.folder, 'home', 'drafts');
    await expect
      .poll(() => (existsSync(drafts) ? readdirSync(drafts, { recursive: true }).filter((name) => String(name).endsWith('.onnx')) : []))
      .toEqual([]);
  });

  await test.step('and it can be removed again', async () => {
    await openModels(page);
    await page.getByRole('button', { name: 'Remove my-nuclei' }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await expect(rowOf(page, 'my-nuclei')).toHaveCount(0);
    expect(readdirSync(models)).toEqual([]);
  });
  expect(host.complaints).toEqual([]);
});
