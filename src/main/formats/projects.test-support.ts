import { encodeRle } from '../../shared/mask/rle.ts';
import type { Annotation, Geometry, ImageRecord, Label, Ring } from '../../shared/records.ts';
import type { Random } from '../../shared/scenes/random.ts';
import { seededRandom } from '../../shared/scenes/random.ts';
import type { DatasetSource, SourceText } from './dataset.ts';
import type { NumberedAnnotation } from './source.ts';

/** A project that exists only in memory, for tests of writers. */
export interface MadeProject {
  readonly folder: string;
  readonly labels: readonly Label[];
  readonly images: readonly ImageRecord[];
  readonly documents: ReadonlyMap<number, readonly NumberedAnnotation[]>;
  readonly splits?: ReadonlyMap<number, string>;
  readonly files?: ReadonlyMap<number, string>;
  readonly texts?: ReadonlyMap<string, SourceText>;
}

/** A made project as writers read it. */
export function sourceOf(project: MadeProject): DatasetSource {
  const document = (id: number): readonly NumberedAnnotation[] => project.documents.get(id) ?? [];
  return {
    projectName: 'made',
    folder: project.folder,
    labels: project.labels,
    imageCount: project.images.length,
    images: () => project.images,
    document,
    split: (id) => project.splits?.get(id) ?? null,
    sourceOf: (kind, id) => project.texts?.get(`${kind} ${id}`) ?? null,
    imageOrder: () => project.images.map(({ id }) => ({ id, source: project.texts?.get(`image ${id}`) ?? null })),
    *annotationOrder() {
      for (const { id } of project.images) {
        for (const { number, annotation } of document(id)) yield { number, imageId: id, source: null, annotation: () => annotation };
      }
    },
    rest: () => [],
    fileOf: ({ id }) => project.files?.get(id) ?? null,
  };
}

const NAMES = ['nut', 'date palm', 'Feige', 'mehr als eins: "x"', 'no', '7', '無花果', 'a/b', "o'clock", '#tag', 'null', '- list'];
const PATHS = [
  'a.jpg',
  'b c.png',
  'sub/a.jpg',
  'sub/deep/ü.webp',
  'images/x.jpg',
  'labels/images/y.jpg',
  'sub/b c.png',
  '0.1.2.jpeg',
  '無.png',
  'a.b/c.d.jpg',
];

/** Any project: classes of odd names, images in folders, polygons with parts and holes, masks, boxes, crowds, background images. */
export function anyProject(seed: number): MadeProject {
  const random = seededRandom(seed);
  const names = NAMES.filter(() => random.chance(0.5));
  const labels = (names.length > 0 ? names : ['only']).map((name, position): Label => ({
    id: position * 2 + 1,
    name,
    color: '#4477AA',
    hotkey: null,
    position,
  }));
  const paths = PATHS.filter(() => random.chance(0.6));
  let number = 0;
  const documents = new Map<number, NumberedAnnotation[]>();
  const splits = new Map<number, string>();
  const images = paths.map((path, i): ImageRecord => {
    const id = i + 3;
    const width = random.integer(1, 60);
    const height = random.integer(1, 60);
    const count = random.chance(0.2) ? 0 : random.integer(1, 6);
    const document = Array.from({ length: count }, (_, z): NumberedAnnotation => {
      const annotation: Annotation = {
        id: `annotation-${++number}`,
        labelId: random.pick(labels).id,
        geometry: anyGeometry(random, width, height),
        z,
        crowd: random.chance(0.15),
        origin: 'drawn',
        suggestionId: null,
      };
      return { number, annotation };
    });
    documents.set(id, document);
    if (seed % 2 === 0) splits.set(id, random.pick(['train', 'val', 'test']));
    return {
      id,
      path,
      width,
      height,
      orientation: 1,
      bytes: 1,
      sha256: '',
      state: 'done',
      revision: 1,
      error: null,
      annotations: count,
      pending: 0,
    };
  });
  return { folder: '/nowhere/project', labels, images, documents, splits };
}

function anyGeometry(random: Random, width: number, height: number): Geometry {
  const kind = random.integer(0, 3);
  if (kind === 0) {
    const x = random.range(-1, width - 0.5);
    const y = random.range(-1, height - 0.5);
    const whole = random.chance(0.5) ? Math.round : (value: number): number => value;
    return {
      kind: 'box',
      box: [whole(x), whole(y), whole(random.range(1, Math.max(1, width - 2))), whole(random.range(1, Math.max(1, height - 2)))],
    };
  }
  if (kind === 1) {
    const data = new Uint8Array(width * height);
    const density = random.pick([0, 0.02, 0.3, 0.7, 1]);
    for (let i = 0; i < data.length; i++) data[i] = random.chance(density) ? 1 : 0;
    return { kind: 'mask', rle: encodeRle({ width, height, data }) };
  }
  const parts = Array.from({ length: random.integer(1, 3) }, () => {
    const cx = random.range(0, width);
    const cy = random.range(0, height);
    const radius = random.range(1, Math.max(2, Math.min(width, height) / 2));
    const holes = random.chance(0.4) ? [star(random, cx, cy, radius * 0.4, width, height)] : [];
    return { outer: star(random, cx, cy, radius, width, height), holes };
  });
  return { kind: 'polygon', parts };
}

/** No point is further from the image than a project allows. */
function star(random: Random, cx: number, cy: number, radius: number, width: number, height: number): Ring {
  const points = random.integer(3, 9);
  const digits = random.pick([0, 1, 2, 17]);
  const round = (value: number): number => (digits === 17 ? value : Number(value.toFixed(digits)));
  const ring: number[] = [];
  for (let i = 0; i < points; i++) {
    const angle = (2 * Math.PI * i) / points;
    const reach = radius * random.range(0.5, 1.2);
    const x = Math.min(2 * width, Math.max(-width, cx + reach * Math.cos(angle)));
    const y = Math.min(2 * height, Math.max(-height, cy + reach * Math.sin(angle)));
    ring.push(round(x), round(y));
  }
  return ring;
}
