import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { exportDataset } from '../../src/main/dataset-export.ts';
import { exportCoco } from '../../src/main/export.ts';
import { IMAGE_EXTENSIONS, readHeader } from '../../src/main/inference/pixels.ts';
import type { Format, FormatId } from '../../src/main/formats/dataset.ts';
import { listImages } from '../../src/main/formats/folder.ts';
import { anyProject, sourceOf } from '../../src/main/formats/projects.test-support.ts';
import { sharedHas, sharedPath } from '../shared-data.ts';

/** A dataset on the disk that is damaged again and again. */
export interface FuzzDataset {
  /** What is read: the folder, or a file in it. */
  readonly place: string;
  readonly root: string;
  /** Files that may be damaged, with what they are when whole. */
  readonly files: readonly { readonly path: string; readonly bytes: Buffer }[];
  readonly sizes: ReadonlyMap<string, { readonly width: number; readonly height: number }>;
}

/** Files of other tools, beside the checkout; small ones, for each is written again for every input. */
const REAL: Readonly<Partial<Record<FormatId, readonly string[]>>> = {
  coco: ['data/interop/isat-coco-tiny/coco_tiny.json', 'data/interop/coco-bbox-only-rbc'],
  'yolo-seg': ['data/interop/xanylabeling-examples/segmentation/instance_segmentation', 'data/interop/yolo-seg-coco128'],
  'yolo-box': ['data/interop/datumaro-assets/roboflow_dataset/yolo', 'data/interop/datumaro-assets/yolo_dataset/strict'],
  labelme: ['data/interop/labelme-examples/primitives', 'data/interop/xanylabeling-examples/classification'],
  isat: ['data/interop/isat-images'],
  voc: ['data/interop/datumaro-assets/voc_dataset/voc_dataset1', 'data/interop/datumaro-assets/roboflow_dataset/voc'],
  cvat: ['data/interop/datumaro-assets/cvat_dataset/for_images', 'data/interop/datumaro-assets/cvat_dataset/for_video'],
  'instance-masks': ['data/interop/datumaro-assets/coco_dataset/coco_panoptic'],
  'class-masks': ['data/interop/datumaro-assets/camvid_dataset'],
};
const MOST_BYTES = 1 << 18;

/** Datasets of a format below `folder`: projects that we wrote, and real files where they lie beside the checkout. */
export async function fuzzDatasets(format: Format, folder: string): Promise<FuzzDataset[]> {
  const datasets: FuzzDataset[] = [];
  for (const seed of [4, 7]) {
    const project = anyProject(seed);
    const out = join(folder, `${format.id}-made-${seed}`);
    const options = { out, includeEmpty: true, states: [], images: 'leave' as const };
    if (format.writer) await exportDataset(format, sourceOf(project), { ...options, format: format.id });
    else await exportCoco(sourceOf(project), { ...options });
    const sizes = new Map(project.images.map(({ path, width, height }) => [path, { width, height }]));
    datasets.push({ place: format.id === 'coco' ? join(out, 'annotations.json') : out, root: out, files: await filesOf(out), sizes });
  }
  for (const [n, real] of (REAL[format.id] ?? []).entries()) {
    if (!sharedHas(real)) continue;
    const root = join(folder, `${format.id}-real-${n}`);
    const single = (await stat(sharedPath(real))).isFile();
    await mkdir(root);
    if (single) await writeFile(join(root, 'file.json'), await readFile(sharedPath(real)));
    else await cp(sharedPath(real), root, { recursive: true });
    const sizes = new Map<string, { width: number; height: number }>();
    for (const path of (await listImages(root)).paths) {
      const header = await readHeader(join(root, path)).catch(() => null);
      if (header) sizes.set(path, { width: header.width, height: header.height });
    }
    const files = await filesOf(root);
    if (files.length > 0) datasets.push({ place: single ? join(root, 'file.json') : root, root, files, sizes });
  }
  return datasets;
}

/** Annotation files, masks too; photographs and large files stay whole. */
async function filesOf(root: string): Promise<FuzzDataset['files']> {
  const files: { path: string; bytes: Buffer }[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const extension = extname(entry.name).toLowerCase();
    if (!entry.isFile() || entry.name === 'export-report.json' || (IMAGE_EXTENSIONS.includes(extension) && extension !== '.png')) continue;
    const bytes = await readFile(path);
    if (bytes.length <= MOST_BYTES) files.push({ path, bytes });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}
