import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { checkModels, goldenLine } from '../src/main/inference/check.ts';
import { createEngine } from '../src/main/inference/engine.ts';
import { parseManifest, weightFiles } from '../src/main/inference/manifest.ts';
import { SCENE_LABELS, drawScene } from '../src/shared/scenes/index.ts';

const root = import.meta.dirname;
const folders = readdirSync(root).filter((name) => existsSync(join(root, name, 'manifest.json')));

function manifestOf(id: string): ReturnType<typeof parseManifest> {
  const path = join(root, id, 'manifest.json');
  return parseManifest(readFileSync(path, 'utf8'), path);
}

describe('the models in the tree', () => {
  it('are those that were trained here', () => {
    expect(folders).toEqual(
      expect.arrayContaining([
        'deeplabv3-scenes',
        'mask-rcnn-nuts',
        'mask-rcnn-scenes',
        'mask-rcnn-scenes-zoo',
        'scene-tags',
        'segnet-scenes',
        'unet-nuclei',
      ]),
    );
  });

  it.each(folders)('%s has the weights its manifest names, at most 16 MB, and a card', (id) => {
    const manifest = manifestOf(id);
    expect(manifest.id).toBe(id);
    for (const file of weightFiles(manifest)) {
      const bytes = readFileSync(join(root, id, file.path));
      expect(bytes.length).toBe(file.bytes);
      expect(bytes.length).toBeLessThanOrEqual(16_000_000);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256);
    }
    expect(statSync(join(root, id, 'README.md')).size).toBeGreaterThan(500);
    expect(manifest.goldens.length).toBeGreaterThan(0);
  });

  it('name the classes of the scenes in their order', () => {
    expect(manifestOf('mask-rcnn-scenes').labels).toEqual(SCENE_LABELS);
    expect(manifestOf('mask-rcnn-scenes-zoo').labels).toEqual(SCENE_LABELS);
  });

  it('has a golden picture that is exactly the scene that the generator draws', async () => {
    const { data, info } = await sharp(join(root, 'mask-rcnn-scenes', 'golden', 'scene.png')).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([480, 360, 3]);
    const { rgb } = drawScene(2_000_500, { width: 480, height: 360 });
    expect(Buffer.compare(data, Buffer.from(rgb))).toBe(0);
  });
});

describe('their answers', () => {
  const engine = createEngine({ modelFolders: [root], providers: 'cpu', threads: 1 });
  afterAll(() => engine.close());

  it.each(folders)('%s answers as PyTorch does', async (id) => {
    const reports = await checkModels(engine, [root], undefined, id);
    expect(reports.length).toBe(manifestOf(id).goldens.length);
    expect(reports.filter((report) => !report.ok).map(goldenLine)).toEqual([]);
  });

  it('mask-rcnn-scenes finds most of a scene it has never seen', async () => {
    const { instances } = await engine.predict({
      modelId: 'mask-rcnn-scenes',
      path: join(root, 'mask-rcnn-scenes', 'golden', 'scene.png'),
      priority: 'user',
      next: null,
    });
    const truth = drawScene(2_000_500, { width: 480, height: 360 }).objects;
    const found = instances.filter((instance) => instance.score >= 0.5).map((instance) => instance.label);
    const matched = truth.filter((object) => {
      const at = found.indexOf(object.label);
      if (at >= 0) found.splice(at, 1);
      return at >= 0;
    });
    expect(matched.length).toBeGreaterThanOrEqual(Math.ceil(truth.length * 0.6));
  });
});
