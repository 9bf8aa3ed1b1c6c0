import { dirname, join } from 'node:path';
import { startImportThread } from '../../src/main/import-thread.ts';

/** `node importing.ts PROJECT DATASET`: imports, and prints a line for each sign of progress of the writing, then `done`. */
const [file = '', place = ''] = process.argv.slice(2);
const folder = dirname(dirname(file));
const thread = startImportThread(join(dirname(file), 'import-00000000-0000-0000-0000-000000000000.staging'), ({ stage, done }) => {
  if (stage === 'writing') process.stdout.write(`${done}\n`);
});
await thread.ask('read', { place, format: 'coco', images: null, pixels: 'auto', regions: 'class', project: { file, folder } });
process.stdout.write('read\n');
await thread.ask('commit', { onConflict: 'skip', asDone: false, atMs: 1 });
process.stdout.write('done\n');
await thread.close();
