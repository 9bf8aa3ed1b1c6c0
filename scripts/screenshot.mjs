// `npm run screenshot`: the README's picture, taken of the real app (browser host) on the sample project.
// Draws the sample, lets the model propose, accepts what is sure on every image, opens an image and
// selects an instance. Usage: node scripts/screenshot.mjs [--out FILE] [--image N] [--theme light] [--width W --height H]
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { expect } from 'playwright/test';
import { buildIfStale } from '../bin/build.mjs';
import { findNode, root } from '../bin/runtime.mjs';
import { launchChromium } from '../e2e/chromium.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'docs', 'screenshot.jpg') },
    image: { type: 'string', default: '5' },
    theme: { type: 'string', default: 'dark' },
    width: { type: 'string', default: '1440' },
    height: { type: 'string', default: '900' },
    model: { type: 'string', default: 'mask-rcnn-scenes' },
  },
});
const home = mkdtempSync(join(tmpdir(), 'maskloop-screenshot-'));
const env = { ...process.env, MASKLOOP_HOME: home };
const maskloop = join(root, 'bin', 'maskloop.mjs');

function cli(...args) {
  const { status } = spawnSync(process.execPath, [maskloop, ...args], { env, stdio: 'inherit' });
  if (status !== 0) throw new Error(`maskloop ${args.join(' ')} ended with ${status}`);
}

async function firstUrl(server) {
  for await (const line of createInterface({ input: server.stdout })) return JSON.parse(line).url;
  throw new Error('maskloop serve ended before it listened');
}

let server;
let browser;
try {
  await buildIfStale(findNode());
  const photos = join(home, 'sample');
  cli('sample', photos);
  cli('predict', photos, '--model', values.model);
  cli('accept', photos, '--min-score', '0.9');

  server = spawn(process.execPath, [maskloop, 'serve', photos, '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  browser = await launchChromium();
  const page = await browser.newPage({
    viewport: { width: Number(values.width), height: Number(values.height) },
    colorScheme: values.theme === 'light' ? 'light' : 'dark',
  });
  await page.goto(await firstUrl(server));
  const films = page.getByTestId('filmstrip-item');
  await films.nth(Number(values.image) - 1).click();
  const rows = page.locator('[data-testid="instance-row"][data-kind="annotation"]');
  await rows.first().waitFor();
  // The document may be fetched once more after the first rows show; then the choice is made again.
  await expect(async () => {
    await rows.nth(1).click();
    await expect(rows.nth(1)).toHaveAttribute('aria-selected', 'true', { timeout: 2000 });
  }).toPass();
  // Everything that is still on its way: thumbnails and the picture itself.
  await page.waitForFunction(() => [...document.images].every((image) => image.complete && image.naturalWidth > 0));
  await page.waitForLoadState('networkidle');
  await page.mouse.move(5, 5);
  const out = resolve(values.out);
  mkdirSync(dirname(out), { recursive: true });
  await page.screenshot({ path: out, ...(out.endsWith('.jpg') ? { type: 'jpeg', quality: 90 } : {}) });
  console.log(out);
} finally {
  await browser?.close();
  if (server !== undefined && server.exitCode === null) {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    await ended;
  }
  rmSync(home, { recursive: true, force: true });
}
