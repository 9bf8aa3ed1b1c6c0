import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDesktopHandlers } from './desktop-handlers.ts';

describe('the system’s dialogs and file manager', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'maskloop-desktop-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are asked where the host has them; what is gone is said instead of shown', async () => {
    const shown: string[] = [];
    const handlers = createDesktopHandlers({
      pick: (kind) => Promise.resolve(kind === 'image-file' ? '/a.jpg' : null),
      show: (path) => shown.push(path),
    });
    expect(await handlers['desktop.pick']({ kind: 'image-file' })).toBe('/a.jpg');
    expect(await handlers['desktop.pick']({ kind: 'output-folder' })).toBeNull();
    await handlers['desktop.show']({ path: folder });
    await expect(handlers['desktop.show']({ path: join(folder, 'gone') })).rejects.toMatchObject({ code: 'not-found' });
    expect(shown).toEqual([folder]);
  });

  it('are refused elsewhere, with what to do instead', async () => {
    const handlers = createDesktopHandlers(null);
    await expect(handlers['desktop.pick']({ kind: 'annotation-file' })).rejects.toMatchObject({ code: 'unsupported' });
    await expect(handlers['desktop.show']({ path: folder })).rejects.toMatchObject({ code: 'unsupported' });
  });
});
