import type { DoctorReport } from '../shared/answers/models.ts';
import type { Label, PolygonPart } from '../shared/records.ts';
import { contourOfRle } from '../shared/mask/contour.ts';
import { classColor } from '../shared/palette.ts';
import { classesFound, signsOf } from './inference/doctor.ts';
import type { Examination } from './inference/examine.ts';
import type { Manifest } from './inference/manifest.ts';
import { decodeRgb, encodeJpeg, encodePng } from './inference/pixels.ts';
import { createRenderThread } from './render-thread.ts';

/** Longest side of the picture, px. */
const SIDE = 960;
/** The best ones; more would only hide each other. */
const MOST = 80;

/** What a model did with an image, as it is told and shown. @throws AppError as `decodeRgb`. */
export async function reportOf(image: string, manifest: Manifest, seen: Examination): Promise<DoctorReport> {
  const { modelId, width, height, provider, loadMs, runMs, totalMs, outputs, instances, tags } = seen;
  const picture = await pictureOf(image, manifest, seen);
  return {
    ...{ modelId, image, width, height, provider, loadMs, runMs, totalMs, outputs, tags },
    instances: instances.length,
    shown: shownOf(manifest, seen).length,
    classes: classesFound(instances),
    signs: signsOf(manifest, seen),
    overlay: `data:image/jpeg;base64,${picture.toString('base64')}`,
  };
}

/** What the window would show at first. */
function shownOf(manifest: Manifest, { instances }: Examination): Examination['instances'] {
  return instances.filter(({ score }) => score >= manifest.thresholds.score);
}

/** The image with what was found drawn over it (only what is shown at first, where there is any), as JPEG, or PNG for a file of that ending. @throws AppError as `decodeRgb`. */
export async function pictureOf(path: string, manifest: Manifest, seen: Examination, ending = '.jpg'): Promise<Buffer> {
  const share = Math.min(1, SIDE / Math.max(seen.width, seen.height));
  const decoded = await decodeRgb(path, Math.max(1, Math.floor(seen.width * share) * Math.floor(seen.height * share)));
  // The decoder's own memory cannot be given to a thread.
  const pixels = { ...decoded, data: Uint8Array.from(decoded.data) };
  const [sx, sy] = [pixels.width / seen.width, pixels.height / seen.height];
  const names = [...new Set(seen.instances.map((instance) => instance.label))];
  const labels = names.map((name, i): Label => ({ id: i + 1, name, color: classColor(i), hotkey: null, position: i }));
  const shown = shownOf(manifest, seen);
  const best = [...(shown.length > 0 ? shown : seen.instances)].sort((a, b) => b.score - a.score).slice(0, MOST);
  const instances = best.reverse().map(({ label, score, box: [x, y, w, h], rle }, i) => ({
    labelId: names.indexOf(label) + 1,
    score,
    geometry: { kind: 'polygon' as const, parts: contourOfRle(rle).map((part) => scaled(part, sx, sy)) },
    box: [x * sx, y * sy, w * sx, h * sy] as const,
    colourKey: `suggestion:${i}`,
  }));
  const thread = createRenderThread(new AbortController().signal);
  try {
    const view = manifest.family === 'semantic' ? 'semantic' : 'instance';
    const { data, width, height } = await thread.draw({ kind: 'overlay', pixels, view, instances, labels, text: true });
    const drawn = new Uint8Array(data);
    return await (ending === '.png' ? encodePng(drawn, width, height, 3) : encodeJpeg({ width, height, data: drawn }, 85));
  } finally {
    await thread.close();
  }
}

function scaled({ outer, holes }: PolygonPart, sx: number, sy: number): PolygonPart {
  const ring = (points: readonly number[]): number[] => points.map((value, i) => value * (i % 2 === 0 ? sx : sy));
  return { outer: ring(outer), holes: holes.map(ring) };
}
