import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { stringify } from 'yaml';
import { ringArea, ringBox } from '../../shared/geometry/polygon.ts';
import { contourOfRle } from '../../shared/mask/contour.ts';
import { ringRuns } from '../../shared/mask/fill.ts';
import { geometryRuns, partsRuns } from '../../shared/mask/raster.ts';
import { countsToString } from '../../shared/mask/rle.ts';
import { combineRuns, runsArea } from '../../shared/mask/runs.ts';
import type { Annotation, ImageRecord, PolygonPart, Ring } from '../../shared/records.ts';
import { joinRings, sameRuns, splitRing } from './bridge.ts';
import { cocoCategories } from './coco.ts';
import type { DatasetSource, DatasetWriter } from './dataset.ts';
import { placeImage } from './folder.ts';
import { imagesToWrite } from './image-order.ts';
import { ISAT_BACKGROUND } from './isat-read.ts';
import type { KeptRecord, KeptValue } from './kept-records.ts';
import { isKeptRecord, keptReader } from './kept-records.ts';
import { partsOfShape, pointsOf } from './labelme-shape.ts';

/**
 * Writes ISAT's files: one JSON beside each image, and `isat.yaml`. Each part is a polygon, the parts of an instance share a
 * group; holes are joined to the border by a line without width.
 */
export const writeIsat: DatasetWriter['write'] = async (source, folder, options, tell) => {
  const names = new Map(source.labels.map(({ id, name }) => [id, name]));
  const kept = keptReader(source, 'isat', "ISAT's files");
  for (const { image, instances, stem } of imagesToWrite(source, options, tell)) {
    const file = join(folder, `${stem}.json`);
    await mkdir(dirname(file), { recursive: true });
    const put = await placeImage(source, image, options.images, join(folder, image.path));
    const objects: KeptRecord[] = [];
    let group = 0;
    for (const { number, annotation } of instances) {
      const say = (kind: 'kept' | 'lost', reason: string, message: string): void =>
        tell({ kind, what: 'annotation', id: String(number), reason, message: `${image.path}: annotation ${number}: ${message}` });
      const { rings, holes } = ringsOf(annotation, image);
      const name = names.get(annotation.labelId) ?? '';
      if (rings.length === 0 || name === ISAT_BACKGROUND) {
        if (rings.length === 0) say('lost', 'no-pixel', 'it covers no pixel.');
        else say('lost', 'class-reserved', `ISAT cuts away what has the class ${ISAT_BACKGROUND}; rename it to export it.`);
        options.onInstance?.(number, 'left-out');
        continue;
      }
      if (annotation.geometry.kind === 'box') say('kept', 'box-as-polygon', 'its box is written as four corners.');
      if (holes > 0)
        say('kept', 'hole-bridged', `${holes === 1 ? 'its hole is' : `its ${holes} holes are`} joined to the border by a line.`);
      group++;
      const own = kept.of('annotation', number)['objects'];
      const rest = Array.isArray(own) ? (own as readonly KeptValue[]).filter(isKeptRecord) : [];
      rings.forEach((ring, i) => {
        const [x, y, w, h] = ringBox(ring);
        objects.push({
          note: '',
          ...(rest[i] ?? rest[0] ?? {}),
          category: name,
          group,
          segmentation: pointsOf(ring),
          area: Math.abs(ringArea(ring)),
          layer: objects.length + 1,
          bbox: [x, y, x + w, y + h],
          iscrowd: annotation.crowd,
        });
      });
    }
    const info = {
      note: '',
      depth: 3,
      ...kept.of('image', image.id),
      description: 'ISAT',
      folder: put ? '' : folderFrom(source, image, dirname(file)),
      name: basename(image.path),
      width: image.width,
      height: image.height,
    };
    await writeFile(file, JSON.stringify({ info, objects }, null, 2) + '\n', { flag: 'wx' });
    options.onImage?.(image.id, image.path);
  }
  const label = cocoCategories(source.labels).map(({ name, color }) => ({ color: color.toLowerCase(), name }));
  const classes = [{ color: '#000000', name: ISAT_BACKGROUND }, ...label.filter(({ name }) => name !== ISAT_BACKGROUND)];
  await writeFile(join(folder, 'isat.yaml'), stringify({ label: classes }, { lineWidth: 0 }), { flag: 'wx' });
  kept.tell(tell);
};

/** Where the folder of an image that stays in its place is, seen from the annotation file. */
function folderFrom(source: DatasetSource, image: ImageRecord, folder: string): string {
  const path = relative(folder, dirname(source.fileOf(image) ?? join(source.folder, image.path))).replaceAll('\\', '/');
  return path.startsWith('.') ? path : `./${path}`;
}

/** One ring a part: the user's own where they cover the same pixels, else those of the mask's exact outline. */
function ringsOf({ geometry }: Annotation, { width, height }: ImageRecord): { rings: readonly Ring[]; holes: number } {
  const runs = geometryRuns(geometry, width, height);
  if (runsArea(runs) === 0) return { rings: [], holes: 0 };
  const own = partsOfShape(geometry);
  if (own !== null) {
    const rings = own.map((part) => joinRings([part]));
    // As ISAT fills them, by the even-odd rule, and as our reader takes them apart.
    const filled = [rings.map((ring) => ringRuns(ring, width, height)), rings.map((ring) => partsRuns(splitRing(ring), width, height))];
    const right = filled.every((each) =>
      sameRuns(
        each.reduce((a, b) => combineRuns(a, b, 'union')),
        runs,
      ),
    );
    if (right) return { rings, holes: countHoles(own) };
  }
  const outline = contourOfRle({ size: [height, width], counts: countsToString(runs) });
  return { rings: outline.map((part) => joinRings([part])), holes: countHoles(outline) };
}

function countHoles(parts: readonly PolygonPart[]): number {
  return parts.reduce((sum, part) => sum + part.holes.length, 0);
}
