import { writeSync } from 'node:fs';
import { NO_INFERENCE } from '../no-inference.ts';
import type { Saved } from '../../src/shared/answers.ts';
import { EMPTY_DIFF } from '../../src/shared/diff.ts';
import { encodeRle } from '../../src/shared/mask/rle.ts';
import type { Annotation, Geometry, ImageDocument } from '../../src/shared/records.ts';
import { makeStudio } from '../make-studio.ts';
import { randomFrom } from './random.ts';

/**
 * Opens FOLDER and makes EDITS edits, undo and redo among them, drawn from SEED. Each is printed as
 * one line of JSON after the studio said that it is saved. Then waits to be killed.
 * Usage: node editing.ts FOLDER APP_FOLDER SEED EDITS
 */
const [folder = '', appFolder = '', seed = '0', edits = '0'] = process.argv.slice(2);
const random = randomFrom(Number(seed));
const pick = (n: number): number => Math.floor(random() * n);

// Only edits happen here: no model is there to be run.
const studio = makeStudio(NO_INFERENCE, appFolder, 'command-line');
const { handlers } = studio;
await handlers['project.open']({ folder, file: null });
const images = await handlers['images.list']({ offset: 0, limit: 10, search: '', states: [] });
const labels = await handlers['labels.list']({});
const label = labels[0] ?? (await handlers['labels.create']({ name: 'mug', color: null }));
writeSync(1, `${JSON.stringify({ ready: true })}\n`);

for (let n = 0; n < Number(edits); n++) {
  const image = images.rows[pick(images.rows.length)];
  if (!image) throw new Error('the folder has no image');
  const document = await handlers['document.load']({ imageId: image.id });
  writeSync(1, `${JSON.stringify(await edit(document))}\n`);
}
// Waits for its end.
setInterval(() => undefined, 1000);

function edit(document: ImageDocument): Promise<Saved> {
  const { imageId, revision: base, annotations } = document;
  const kind = random();
  if (kind < 0.15 && document.undoable > 0) return handlers['document.undo']({ imageId, base });
  if (kind < 0.25 && document.redoable > 0) return handlers['document.redo']({ imageId, base });
  const some = annotations[pick(annotations.length)];
  if (some && kind < 0.55) {
    return handlers['document.apply']({
      imageId,
      base,
      diff: { ...EMPTY_DIFF, updated: [[some, { ...some, geometry: geometry(document) }]] },
    });
  }
  if (some && (kind < 0.65 || annotations.length > 12)) {
    return handlers['document.apply']({ imageId, base, diff: { ...EMPTY_DIFF, removed: [some] } });
  }
  const added: Annotation = {
    id: crypto.randomUUID(),
    labelId: label.id,
    geometry: geometry(document),
    z: annotations.length + random(),
    crowd: random() < 0.1,
    origin: 'drawn',
    suggestionId: null,
  };
  return handlers['document.apply']({ imageId, base, diff: { ...EMPTY_DIFF, added: [added] } });
}

function geometry({ width, height }: ImageDocument): Geometry {
  if (random() < 0.5) {
    const data = new Uint8Array(width * height);
    for (let i = 0; i < data.length; i++) data[i] = random() < 0.5 ? 1 : 0;
    return { kind: 'mask', rle: encodeRle({ width, height, data }) };
  }
  const outer = Array.from({ length: 2 * (3 + pick(20)) }, (_, i) => random() * (i % 2 === 0 ? width : height));
  return { kind: 'polygon', parts: [{ outer, holes: [] }] };
}
