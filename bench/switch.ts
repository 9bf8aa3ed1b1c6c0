import { readFile } from 'node:fs/promises';
import { decodeRgb } from '../src/main/inference/pixels.ts';
import { readPixels } from '../src/main/pixel-source.ts';
import type { Row } from './measure.ts';
import { measureInTurn } from './measure.ts';
import type { BenchProject } from './project.ts';

/** Everything the main side does when the user goes to the next image, beside reading and beside decoding the file. */
export async function benchSwitch(project: BenchProject, rounds: number): Promise<Row[]> {
  const { store, folder, imageIds, paths } = project;
  const [ours, read, decoded] = await measureInTurn(
    [
      {
        name: 'document.load + pixels.read',
        run: async (round) => {
          const imageId = imageIds[round % imageIds.length] ?? 0;
          const document = store.documents.load(imageId);
          // What goes to the window is JSON over HTTP, or a structured clone.
          JSON.stringify(document);
          const { body } = await readPixels(folder, folder, store.images.get(imageId), 'full');
          if (!Buffer.isBuffer(body)) await readFile(body.path);
        },
      },
      { name: 'bare file read', run: (round) => readFile(paths[round % paths.length] ?? '') },
      { name: 'sharp decode', run: (round) => decodeRgb(paths[round % paths.length] ?? '') },
    ],
    rounds,
    project.paths.length,
  );
  if (!ours || !read || !decoded) throw new Error('nothing was measured');
  const note = '1600×1200 JPEG from the page cache';
  return [
    { what: 'image switch', ours, reference: read, note },
    { what: 'image switch', ours, reference: decoded, note },
  ];
}
