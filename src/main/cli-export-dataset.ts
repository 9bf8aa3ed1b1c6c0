import { resolve } from 'node:path';
import type { DatasetExportOptions, DatasetExportReport } from '../shared/calls/formats.ts';
import { count, duration } from './cli-console.ts';
import { exitOfDataset, sayFindings, sayReadBack } from './cli-convert.ts';
import type { Outcome } from './cli-jobs.ts';
import type { Session } from './cli-session.ts';
import { on, openProject } from './cli-session.ts';

/** `maskloop export --format` of any format but COCO. */
export async function exportDatasetJob(session: Session, folder: string, wanted: DatasetExportOptions): Promise<Outcome> {
  await openProject(session, folder);
  const { console } = session;
  const stop = on(session, 'export.progress', ({ stage, done, total }) => {
    console.progress(`${stage === 'comparing' ? 'Comparing' : 'Writing'}: image ${done} of ${total}`);
  });
  const cancel = (): void => void session.call('export.cancel', {});
  session.signal.addEventListener('abort', cancel, { once: true });
  let report: DatasetExportReport;
  try {
    session.signal.throwIfAborted();
    report = await session.call('export.dataset', { ...wanted, out: resolve(wanted.out) });
  } finally {
    session.signal.removeEventListener('abort', cancel);
    stop();
  }
  console.say(
    `Exported ${count(report.annotations, 'instance')} on ${count(report.images, 'image')} as ${report.format}, in ${duration(report.ms)}`,
  );
  sayReadBack(console, report);
  sayFindings(console, report.findingCounts, report.findings);
  console.say(`  ${count(report.fileCount, 'file')} in ${report.out}`);
  return { code: exitOfDataset(report), value: report };
}
