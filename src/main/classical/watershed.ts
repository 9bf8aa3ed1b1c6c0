import type { ParsedQuestion } from '../../shared/classical/questions.ts';
import type { LabelMap, Rgb, Window } from '../../shared/classical/raster.ts';
import { AppError } from '../../shared/errors.ts';
import type { OpenCv } from './opencv.ts';
import { scoped } from './opencv.ts';
import { coverStroke } from './strokes.ts';

type WatershedQuestion = Extract<ParsedQuestion, { method: 'watershed' }>;

/**
 * The picture flooded from the strokes (Meyer 1992), by OpenCV's `watershed`: every pixel belongs to one of the
 * marks. OpenCV leaves lines of one pixel between the pools; each of their pixels goes to the neighbour whose
 * colour is nearest. Label = mark + 1. `whole`: the image, in the space of the strokes.
 * Throws `invalid` where fewer than two marks are painted in the image.
 */
export function watershed(cv: OpenCv, image: Rgb, whole: Window, { strokes, parameters }: WatershedQuestion): LabelMap {
  const { width, height } = image;
  const markers = new Int32Array(width * height);
  const seen = new Set<number>();
  for (const stroke of strokes) {
    coverStroke(stroke, whole, width, height, (pixel) => {
      markers[pixel] = stroke.mark + 1;
      seen.add(stroke.mark);
    });
  }
  if (seen.size < 2) {
    throw new AppError('invalid', 'Watershed needs strokes of two marks or more: one on the object, one on what is around it.', {
      marks: seen.size,
    });
  }
  const data = scoped((keep) => {
    const picture = keep(new cv.Mat(height, width, cv.CV_8UC3));
    picture.data.set(image.data);
    if (parameters.smooth > 0) cv.GaussianBlur(picture, picture, new cv.Size(0, 0), parameters.smooth);
    const pools = keep(new cv.Mat(height, width, cv.CV_32SC1));
    pools.data32S.set(markers);
    cv.watershed(picture, pools);
    return pools.data32S.slice();
  });
  return closeLines(data, image);
}

/** Lines, and the image's frame that OpenCV marks as one, go to the neighbour of the nearest colour; several passes, for lines meet. */
function closeLines(data: Int32Array, { width, height, data: rgb }: Rgb): LabelMap {
  const out = new Uint16Array(data.length);
  let open: number[] = [];
  for (let i = 0; i < data.length; i++) {
    if (data[i]! > 0) out[i] = data[i]!;
    else open.push(i);
  }
  while (open.length > 0) {
    const decided: [pixel: number, label: number][] = [];
    for (const i of open) {
      const x = i % width;
      let best = Infinity;
      let label = 0;
      const look = (j: number): void => {
        if (!out[j]) return;
        const distance =
          Math.abs(rgb[i * 3]! - rgb[j * 3]!) + Math.abs(rgb[i * 3 + 1]! - rgb[j * 3 + 1]!) + Math.abs(rgb[i * 3 + 2]! - rgb[j * 3 + 2]!);
        if (distance >= best) return;
        best = distance;
        label = out[j]!;
      };
      if (x > 0) look(i - 1);
      if (x + 1 < width) look(i + 1);
      if (i >= width) look(i - width);
      if (i + width < out.length) look(i + width);
      if (label > 0) decided.push([i, label]);
    }
    // Nothing to grow from: an image without a pool.
    if (decided.length === 0) break;
    for (const [i, label] of decided) out[i] = label;
    open = open.filter((i) => out[i] === 0);
  }
  return { width, height, data: out };
}
