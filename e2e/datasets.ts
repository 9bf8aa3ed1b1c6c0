import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encode } from 'fast-png';
import { SAMPLE_SCENES } from '../src/shared/scenes/index.ts';

/** A closed outline of `points` vertices around (x, y), digits as another tool may have written them. */
function outline(x: number, y: number, radius: number, points: number): number[] {
  return Array.from({ length: points }, (_, i) => (i * 2 * Math.PI) / points).flatMap((angle) => [
    Number((x + radius * Math.cos(angle)).toFixed(2)),
    Number((y + radius * Math.sin(angle)).toFixed(2)),
  ]);
}

/**
 * Writes a COCO file about the first two sample scenes, as other tools leave them: one image that is not there, a class
 * named twice, a ring of two points, an area that is not the mask's, and keys of its own. Of its six annotations four can
 * be taken.
 */
export async function writeOddCoco(file: string): Promise<void> {
  const images = SAMPLE_SCENES.slice(0, 2).map(({ name, width, height }, i) => ({
    id: 10 + i,
    file_name: name,
    width,
    height,
    camera: 'bench',
  }));
  const annotation = (id: number, imageId: number, categoryId: number, ring: number[], more: object = {}): object => ({
    id,
    image_id: imageId,
    category_id: categoryId,
    segmentation: [ring],
    iscrowd: 0,
    ...more,
  });
  const dataset = {
    info: { contributor: 'another tool' },
    images: [...images, { id: 99, file_name: 'gone.jpg', width: 640, height: 480 }],
    categories: [
      { id: 3, name: 'cup', supercategory: 'none' },
      { id: 5, name: 'plate' },
      { id: 8, name: 'cup' },
    ],
    annotations: [
      annotation(101, 10, 3, outline(120, 120, 50, 96), { area: 5, note: 'area of another tool' }),
      annotation(102, 10, 5, outline(260, 160, 40, 64)),
      annotation(103, 11, 3, outline(140, 130, 45, 80)),
      annotation(104, 11, 8, outline(280, 180, 30, 24)),
      annotation(105, 11, 5, [10, 10, 20, 20]),
      annotation(106, 99, 5, outline(100, 100, 30, 24)),
    ],
  };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(dataset, null, 1));
}

/** The same file, cut off in the middle of its annotations. */
export async function writeCutOff(file: string): Promise<void> {
  const whole = join(dirname(file), 'whole.json');
  await writeOddCoco(whole);
  const text = await readFile(whole, 'utf8');
  await writeFile(file, text.slice(0, text.indexOf('"id": 104') + 40));
}

/** Writes a class map of the first sample scene: a mug in two pieces, and a plate. */
export async function writeClassMap(folder: string): Promise<void> {
  const [scene] = SAMPLE_SCENES;
  if (!scene) throw new Error('There are no sample scenes.');
  const { name, width, height } = scene;
  const data = new Uint8Array(width * height);
  const fill = (value: number, x: number, y: number, side: number): void => {
    for (let row = y; row < y + side; row++) data.fill(value, row * width + x, row * width + x + side);
  };
  fill(1, 20, 30, 60);
  fill(1, 150, 40, 50);
  fill(2, 240, 120, 40);
  await mkdir(join(folder, 'masks'), { recursive: true });
  await writeFile(join(folder, 'masks', name.replace(/\.[^.]+$/, '.png')), encode({ width, height, data, channels: 1, depth: 8 }));
  await writeFile(join(folder, 'classes.txt'), 'background\nmug\nplate\n');
}
