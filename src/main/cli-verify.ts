import { AppError } from '../shared/errors.ts';
import { appFolder } from './app-folder.ts';
import type { Console } from './cli-console.ts';
import { count, EXIT } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import { findProject } from './project-place.ts';
import { verifyProject } from './store/replay.ts';

/** Checks a folder's project file without bringing it to a newer version. Nobody else may have it open. */
export function verifyJob(console: Console, folder: string): Outcome {
  const file = findProject(folder, appFolder());
  if (file === null) {
    throw new AppError('not-found', `${folder} has no project yet: \`maskloop scan ${folder}\` makes one.`, { path: folder });
  }
  const report = verifyProject(file);
  console.say(
    `${file}: ${count(report.images, 'image')}, ${count(report.annotations, 'annotation')}, ${count(report.changes, 'change')} in the journal`,
  );
  for (const problem of report.problems) console.say(`  ${problem}`);
  console.say(report.ok ? 'Intact: integrity and references hold, and the journal replays to the same state.' : 'NOT intact.');
  return { code: report.ok ? EXIT.ok : EXIT.failed, value: { file, ...report } };
}
