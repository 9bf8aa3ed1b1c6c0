import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { readCocoFile } from '../../src/main/formats/coco-reader.ts';
import { segmentationToRle } from '../../src/shared/evaluate/dataset.ts';
import { decodeRle } from '../../src/shared/mask/rle.ts';
import { SCENE_LABELS, drawScene } from '../../src/shared/scenes/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'write-scenes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('write-scenes', () => {
  it('writes pictures and a COCO file whose masks are those of the scenes', async () => {
    const script = new URL('write-scenes.ts', import.meta.url).pathname;
    execFileSync(process.execPath, [script, folder, '--seed', '11', '--count', '2', '--width', '200', '--height', '150']);
    const file = await readCocoFile(join(folder, 'annotations.json'));
    expect(file.images.map((image) => image.file_name)).toEqual(['scene-11.jpg', 'scene-12.jpg']);
    expect(file.categories.map((category) => category.name)).toEqual(SCENE_LABELS);
    for (const image of file.images) {
      const scene = drawScene(image.id, { width: 200, height: 150 });
      const size = await sharp(join(folder, 'images', image.file_name)).metadata();
      expect([size.width, size.height]).toEqual([200, 150]);
      const annotations = file.annotations.filter((annotation) => annotation.image_id === image.id);
      expect(annotations.length).toBe(scene.objects.length);
      annotations.forEach((annotation, k) => {
        const object = scene.objects[k];
        expect(SCENE_LABELS[annotation.category_id - 1]).toBe(object?.label);
        expect(annotation.area).toBe(object?.mask.reduce((sum, value) => sum + value, 0));
        const { segmentation } = annotation;
        if (segmentation === undefined) throw new Error(`annotation ${k} has no mask`);
        expect(decodeRle(segmentationToRle(segmentation, image)).data).toEqual(object?.mask);
      });
    }
  });
});
