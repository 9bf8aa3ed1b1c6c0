import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forkChannel } from '../../src/main/inference/channel.ts';
import { createRemoteInference } from '../../src/main/inference/remote.ts';
import { makeStudio } from '../make-studio.ts';
import { sharedHas, sharedPath } from '../shared-data.ts';
import type { ProbeEnd, ProbeLine } from './probe.ts';

const run = promisify(execFile);
const archive = 'data/badimages.tar.gz';
const tiny = fileURLToPath(new URL('../tiny-models', import.meta.url));
const probe = fileURLToPath(new URL('./probe.ts', import.meta.url));

/** 1,000 broken, odd and huge files, with what Pillow made of each. */
describe.skipIf(!sharedHas(archive))('broken, odd and huge image files', () => {
  let root = '';
  const pillow = new Map<string, { readonly size: string; readonly orientation: number; readonly ok: boolean }>();

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'maskloop-badimages-'));
    await run('tar', ['xzf', sharedPath(archive), '-C', root]);
    const rows = readFileSync(join(root, 'badimages', 'MANIFEST.tsv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1);
    for (const row of rows) {
      const [file = '', , , , size = '', , orientation = '', verdict = ''] = row.split('\t');
      pillow.set(file.replaceAll('\\n', '\n'), { size, orientation: Number(orientation) || 1, ok: verdict === 'ok' });
    }
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  async function probed(decoder: string, mode: 'decode' | 'predict', nth: number): Promise<{ lines: ProbeLine[]; end: ProbeEnd }> {
    const { stdout } = await run(process.execPath, [probe, join(root, 'badimages'), mode, String(nth)], {
      env: { ...process.env, MASKLOOP_DECODER: decoder },
      maxBuffer: 64 << 20,
    });
    const parsed = stdout.trim().split('\n');
    const end = JSON.parse(parsed.pop() ?? '') as ProbeEnd;
    return { lines: parsed.map((line) => JSON.parse(line) as ProbeLine), end };
  }

  /** Every file is either an image of the right size, or refused with a code and a reason of some length. */
  function judge(lines: readonly ProbeLine[]): { readonly read: number; readonly refused: number } {
    for (const line of lines) {
      if (line.size !== null) continue;
      expect(line, line.path).toMatchObject({ code: 'unsupported' });
      expect(line.reason?.length, line.path).toBeGreaterThan(8);
    }
    const wrong = lines.filter(({ path, size }) => {
      const theirs = pillow.get(relative(join(root, 'badimages'), path));
      // GIFs made by a fuzzer: one reads the screen's size, the other the frame's.
      if (size === null || !theirs?.ok || basename(path).startsWith('afl-')) return false;
      const [w, h] = theirs.orientation >= 5 && theirs.orientation <= 8 ? [size[1], size[0]] : size;
      return `${w}x${h}` !== theirs.size;
    });
    expect(wrong.map((line) => [line.path, line.size])).toEqual([]);
    const refused = lines.filter((line) => line.size === null).length;
    return { read: lines.length - refused, refused };
  }

  it('are decoded or refused with a reason, all of them, in bounded memory', async () => {
    const { lines, end } = await probed('native', 'decode', 1);
    expect(end.decoder).toContain('(native');
    expect(end.files).toBeGreaterThanOrEqual(1000);
    const { read, refused } = judge(lines);
    expect(read).toBeGreaterThan(600);
    expect(refused).toBeGreaterThan(300);
    expect(end.peakMB).toBeLessThan(1500);
    const readable = lines.filter((line) => line.size === null && /\/pngsuite\/(?!x).*\.png|\/exif-orientation\//.test(line.path));
    expect(readable.map((line) => [line.path, line.reason])).toEqual([]);
  }, 300_000);

  it('are decoded or refused alike by the WebAssembly build', async () => {
    const [wasm, native] = [await probed('wasm', 'decode', 5), await probed('native', 'decode', 5)];
    expect(wasm.end.decoder).toContain('(wasm');
    judge(wasm.lines);
    const differing = wasm.lines.filter((line, i) => String(line.size) !== String(native.lines[i]?.size));
    expect(differing.map((line) => [line.path, line.size, line.reason])).toEqual([]);
    expect(wasm.end.peakMB).toBeLessThan(2500);
  }, 600_000);

  it('go through the engine one after the other, in bounded memory', async () => {
    const { lines, end } = await probed('native', 'predict', 1);
    const { read } = judge(lines);
    expect(read).toBeGreaterThan(600);
    expect(end.peakMB).toBeLessThan(2500);
  }, 600_000);

  it('can be opened as a project and predicted: each bad file is listed with its reason, the rest goes on', async () => {
    const folder = join(root, 'project');
    for (const part of ['generated', 'huge', 'exif-orientation'])
      cpSync(join(root, 'badimages', part), join(folder, part), { recursive: true });
    const studio = makeStudio(
      createRemoteInference({ spawn: () => forkChannel(), modelFolders: [tiny], providers: 'cpu' }),
      join(root, 'app'),
      'command-line',
    );
    try {
      await studio.handlers['project.open']({ folder, file: null });
      await studio.scanned();
      const { rows, total } = await studio.handlers['images.list']({ offset: 0, limit: 1000, search: '', states: [] });
      expect(total).toBeGreaterThan(60);
      const broken = rows.filter((row) => row.error !== null);
      for (const row of broken) expect(row.error?.length, row.path).toBeGreaterThan(8);
      expect(broken.map((row) => basename(row.path))).toEqual(expect.arrayContaining(['zero_bytes.jpg', 'html_404.png', 'text_named.jpg']));

      const started = await studio.handlers['predict.start']({ modelId: 'tiny-torchvision', scope: { kind: 'folder', untouched: false } });
      const ended = await studio.runEnded(started.id);
      expect(ended).toMatchObject({ state: 'done', finished: ended.total });
      expect(ended.suggestions).toBeGreaterThan(100);
      const failures = await studio.handlers['runs.failures']({ runId: started.id });
      expect(failures).toHaveLength(ended.failed);
      // Their headers are whole, their pixels are not: only decoding finds that.
      expect(failures.map((failure) => basename(failure.path))).toEqual(expect.arrayContaining(['trunc_105850.jpg', 'trunc_half.png']));
      for (const failure of failures) expect(failure.reason.length, failure.path).toBeGreaterThan(8);
    } finally {
      await studio.close();
    }
  }, 300_000);
});
