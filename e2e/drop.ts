import { readFileSync } from 'node:fs';
import type { Page } from 'playwright/test';
import type { Host } from './host.ts';

/** Drops files on the window as a hand does; on the desktop they keep their place on the disk. */
export async function drop(page: Page, host: Host, paths: readonly string[]): Promise<void> {
  if (host.kind === 'desktop') {
    // Playwright cannot drag from the system: an input that holds the real files stands in for the hand.
    await page.evaluate(() => {
      const input = document.createElement('input');
      input.type = 'file';
      input.multiple = true;
      input.id = 'dropped';
      document.body.append(input);
    });
    await page.locator('#dropped').setInputFiles([...paths]);
    await page.evaluate(() => {
      const input = document.querySelector<HTMLInputElement>('#dropped')!;
      const dataTransfer = new DataTransfer();
      for (const file of input.files ?? []) dataTransfer.items.add(file);
      for (const type of ['dragenter', 'dragover', 'drop'])
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
      input.remove();
    });
    return;
  }
  const files = paths.map((path) => ({ name: path.split('/').at(-1) ?? '', base64: readFileSync(path).toString('base64') }));
  await page.evaluate((dropped) => {
    const dataTransfer = new DataTransfer();
    for (const { name, base64 } of dropped) dataTransfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
    for (const type of ['dragenter', 'dragover', 'drop'])
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
  }, files);
}
