import { join, resolve } from 'node:path';
import { count, duration, EXIT } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import { exportProject, sayExported } from './cli-export.ts';
import { acceptSuggestions, everyImage, predictImages, sayPredicted } from './cli-jobs.ts';
import { openProject } from './cli-session.ts';
import type { Session } from './cli-session.ts';
import { writeSample } from './sample.ts';
import { verifyProject } from './store/replay.ts';

/** The bundled model of the sample project. */
const SAMPLE_MODEL = 'mask-rcnn-scenes';
const MIN_SCORE = 0.5;

/**
 * The whole job in one go, on the sample project in `folder`: write it, scan, predict, accept what is
 * sure, export, and verify both the dataset and the journal. Says what it did and where. Running it
 * again goes on from what is there: accepted instances are not made twice.
 */
export async function demoJob(session: Session, folder: string): Promise<Outcome> {
  const startedMs = Date.now();
  const { console } = session;
  const root = resolve(folder);
  console.say(`1. The sample project: ${root}`);
  await writeSample(root, (written, total) => console.progress(`Drawing: ${written} of ${count(total, 'photo')}`));
  const project = await openProject(session, root);
  console.say(`   ${count(project.images, 'image')}`);

  console.say('2. A Mask R-CNN proposes instances');
  // Only where nobody has worked yet: a second demo would otherwise accept everything once more.
  let untouched = 0;
  for await (const image of everyImage(session)) if (image.state === 'new' || image.state === 'predicted') untouched += 1;
  const predicted = untouched === 0 ? null : await predictImages(session, { model: SAMPLE_MODEL, all: false, resume: null });
  if (predicted === null) console.say('   every image was worked on before: there is nothing to predict');
  else await sayPredicted(session, predicted);

  console.say(`3. Those with a score of ${MIN_SCORE} or more are accepted`);
  const accepted = await acceptSuggestions(session, MIN_SCORE);
  console.say(`   ${count(accepted.accepted, 'instance')} on ${count(accepted.images, 'image')}`);

  console.say('4. Export as COCO');
  const report = await exportProject(session, { out: join(root, 'export'), includeEmpty: true, pixelSpace: 'oriented' });
  sayExported(session, report, join(root, 'export'));

  console.say('5. The project file is checked');
  await session.call('project.close', {});
  const verified = verifyProject(project.file);
  for (const problem of verified.problems) console.say(`   ${problem}`);
  console.say(verified.ok ? '   intact; the journal replays to the same state' : '   NOT intact');
  console.say(`Done in ${duration(Date.now() - startedMs)}. The project, its photos and the dataset are in ${root}`);

  const failed = (predicted?.failures.length ?? 0) > 0 || report.skipped.length > 0;
  return {
    code: !verified.ok ? EXIT.failed : failed ? EXIT.partly : EXIT.ok,
    value: { folder: root, project, predicted, accepted, report, verified },
  };
}
