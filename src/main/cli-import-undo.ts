import type { ImportUndoOptions, LeftImage } from '../shared/calls/imports.ts';
import { count, duration, EXIT } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import type { Session } from './cli-session.ts';
import { on, openProject } from './cli-session.ts';

/** Images that stay are said up to here; the report's file and `--json` have more. */
const SAID = 20;

const WHY: Readonly<Record<LeftImage['why'], string>> = {
  edited: 'it was edited since',
  state: 'its state was set since',
  'imported-over': 'a later import changed it; take that one back first',
};

/** `maskloop import --undo`: partly done where images had to stay as they are. */
export async function undoImportJob(session: Session, folder: string, options: ImportUndoOptions): Promise<Outcome> {
  const { console } = session;
  await openProject(session, folder);
  const stop = on(session, 'import.progress', ({ done, total }) => console.progress(`Taking back: ${done} of ${count(total, 'image')}`));
  const cancel = (): void => void session.call('import.cancel', {});
  session.signal.addEventListener('abort', cancel, { once: true });
  try {
    session.signal.throwIfAborted();
    const report = await session.call('import.undo', options);
    console.say(`Import ${report.importId} of ${report.place} (${new Date(report.importedAtMs).toLocaleString()})`);
    console.say(
      `  ${report.dryRun ? 'would be taken back' : 'taken back'}: ${count(report.annotations, 'instance')} on ${count(report.images, 'image')}, in ${duration(report.ms)}`,
    );
    if (report.restored > 0)
      console.say(`  ${count(report.restored, 'instance')} that it had replaced ${report.dryRun ? 'come' : 'are'} back`);
    if (report.splitImages > 0) console.say(`  ${count(report.splitImages, 'image')} in no split any more`);
    if (report.classes.length > 0) {
      const more = report.classes.length > SAID ? `, and ${report.classes.length - SAID} more` : '';
      console.say(`  classes that nothing uses any more: ${report.classes.slice(0, SAID).join(', ')}${more}`);
    }
    if (report.leftImages > 0) {
      console.say(`  ${count(report.leftImages, 'image')} with ${count(report.leftAnnotations, 'instance')} of it stay:`);
      for (const { path, why } of report.left.slice(0, SAID)) console.say(`    ${path}: ${WHY[why]}`);
      if (report.leftImages > SAID) console.say(`    … and ${report.leftImages - SAID} more`);
    }
    if (report.file === null) console.say('Nothing was changed (--dry-run).');
    else console.say(`  ${report.file}`);
    return { code: report.leftImages > 0 ? EXIT.partly : EXIT.ok, value: report };
  } finally {
    session.signal.removeEventListener('abort', cancel);
    stop();
  }
}

/** `maskloop import --list`. */
export async function listImportsJob(session: Session, folder: string): Promise<Outcome> {
  const { console } = session;
  await openProject(session, folder);
  const imports = await session.call('import.list', {});
  for (const { importId, format, place, importedAtMs, images, annotations, imagesLeft, undoneAtMs } of imports) {
    console.say(`${importId}: ${place} (${format}), ${new Date(importedAtMs).toLocaleString()}`);
    const left =
      undoneAtMs !== null ? 'taken back' : imagesLeft < images ? `${count(imagesLeft, 'image')} of it left` : 'all of it is there';
    console.say(`    ${count(annotations, 'instance')} on ${count(images, 'image')}; ${left}`);
  }
  if (imports.length === 0) console.say('Nothing was imported into this project.');
  return { code: EXIT.ok, value: imports };
}
