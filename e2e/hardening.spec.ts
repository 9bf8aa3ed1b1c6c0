import { join } from 'node:path';
import { expect, test } from './host.ts';
import { writePhotos } from './photos.ts';

test('the page reaches nothing but the contract and the pixels of the open project', async ({ host }) => {
  const photos = join(host.folder, 'photos');
  await writePhotos(photos, 1);
  await host.openFolder(photos);
  await expect(host.page.getByTestId('filmstrip-item')).toHaveCount(1);
  const { page } = host;
  const home = page.url();

  await test.step('no Node in the page', async () => {
    expect(await page.evaluate(() => ['require', 'process', 'module', 'Buffer', 'global'].filter((name) => name in window))).toEqual([]);
  });

  await test.step('no inline scripts, no eval, nothing remote', async () => {
    const ran = await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'document.documentElement.dataset.inline = "ran"';
      document.head.append(script);
      return document.documentElement.dataset['inline'] ?? 'refused';
    });
    expect(ran).toBe('refused');
    const code = 'data:text/javascript,export default 1';
    expect(
      await page.evaluate(
        (url) =>
          import(url).then(
            () => 'ran',
            () => 'refused',
          ),
        code,
      ),
    ).toBe('refused');
    expect(
      await page.evaluate(() =>
        fetch('https://example.com/').then(
          () => 'reached',
          () => 'refused',
        ),
      ),
    ).toBe('refused');
  });

  await test.step('pixels by image id only', async () => {
    const root = host.kind === 'desktop' ? 'maskloop-pixels://project/' : '/pixels/';
    const status = (path: string): Promise<number> => page.evaluate((url) => fetch(url).then((response) => response.status), root + path);
    expect(await status('image/1/full')).toBe(200);
    expect(await status('image/1/thumb')).toBe(200);
    for (const path of ['image/2/full', 'image/1/other', 'image/../1/full', 'image/1', '..%2f..%2fpackage.json', 'etc/passwd']) {
      expect(await status(path), path).toBe(404);
    }
  });

  await test.step('the window is the only thing served', async () => {
    const root = host.kind === 'desktop' ? 'maskloop://app' : new URL(home).origin;
    const status = (path: string): Promise<number> =>
      page.evaluate(
        (url) =>
          fetch(url).then(
            (response) => response.status,
            () => 0,
          ),
        root + path,
      );
    expect(await status('/index.html')).toBe(200);
    for (const path of ['/package.json', '/..%2fmain%2fapp.js', '/%2e%2e/%2e%2e/package.json', '/main/app.js'])
      expect(await status(path), path).toBe(404);
  });

  await test.step('only the calls of the contract, with what they take', async () => {
    const ask = (name: string, input: unknown): Promise<unknown> =>
      page.evaluate(
        async ([call, given]) => {
          if (window.maskloop) return window.maskloop.invoke(call, given);
          const response = await fetch(`/call/${call}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(given),
          });
          return response.json() as Promise<unknown>;
        },
        [name, input] as const,
      );
    expect(await ask('fs.readFile', { path: '/etc/passwd' })).toMatchObject({ ok: false, error: { code: 'invalid' } });
    expect(await ask('__proto__', {})).toMatchObject({ ok: false, error: { code: 'invalid' } });
    expect(await ask('images.get', { imageId: '1' })).toMatchObject({ ok: false, error: { code: 'invalid', detail: { key: 'imageId' } } });
    expect(await ask('document.apply', { imageId: 1, base: 0, diff: { added: [{}] } })).toMatchObject({
      ok: false,
      error: { code: 'invalid' },
    });
  });

  if (host.kind === 'desktop') {
    await test.step('no other windows, no leaving, no permissions', async () => {
      expect(await page.evaluate(() => window.open('https://example.com/') === null)).toBe(true);
      await page.evaluate(() => {
        window.location.href = 'https://example.com/';
      });
      await page.waitForTimeout(500);
      expect(page.url()).toBe(home);
      expect(await page.evaluate(async () => (await navigator.permissions.query({ name: 'geolocation' })).state)).toBe('denied');
    });
  }
});
