import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { COCO_FILE, exportCoco } from '../src/main/export.ts';
import type { Row, Samples } from './measure.ts';
import { measureInTurn } from './measure.ts';
import type { BenchProject } from './project.ts';

/** A whole COCO export with its check, beside turning the same object into text. Durations per 1,000 instances. */
export async function benchExport(project: BenchProject, rounds: number): Promise<Row> {
  const { store, folder } = project;
  const out = join(folder, 'coco');
  const exportOnce = async (): Promise<void> => {
    const snapshot = store.snapshot();
    try {
      await exportCoco({ ...snapshot, projectName: 'bench', folder }, { out, includeEmpty: true, pixelSpace: 'oriented', states: [] });
    } finally {
      snapshot.close();
    }
  };
  await exportOnce();
  const text = await readFile(join(out, COCO_FILE), 'utf8');
  const same: unknown = JSON.parse(text);
  const [ours, reference] = await measureInTurn(
    [
      { name: 'export.coco per 1,000 instances', run: exportOnce },
      { name: 'JSON.stringify of the same object', run: () => JSON.stringify(same) },
    ],
    rounds,
    1,
  );
  if (!ours || !reference) throw new Error('nothing was measured');
  const scaled = ({ name, ms }: Samples): Samples => ({ name, ms: ms.map((value) => (value * 1000) / project.annotations) });
  const size = `${(text.length / 1e6).toFixed(1)} MB, ${project.annotations} instances on ${project.imageIds.length} images`;
  return {
    what: 'COCO export',
    ours: scaled(ours),
    reference: scaled(reference),
    note: `${size}; masks to polygons, fsync, read back, compared`,
  };
}
