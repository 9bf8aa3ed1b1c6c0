import { AppError } from '../shared/errors.ts';
import type { Console } from './cli-console.ts';
import { count, EXIT } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import type { Session } from './cli-session.ts';
import { engineLines } from './cli-session.ts';
import { checkModels, goldenLine } from './inference/check.ts';
import type { GoldenReport } from './inference/check.ts';
import { localInference, modelFolders } from './local-studio.ts';

export async function listModelsJob(session: Session): Promise<Outcome> {
  const models = await session.call('models.list', {});
  for (const model of models) {
    const kind = [model.family, model.variant].filter((part) => part !== null).join(', ');
    session.console.say(
      `${model.id} ${model.version}  ${model.name} (${kind}), ${count(model.labels.length, 'class')}, ${(model.bytes / 2 ** 20).toFixed(1)} MB, ${model.license}`,
    );
    session.console.say(`  ${model.labels.join(', ')}`);
    if (model.problem !== null) session.console.say(`  cannot be used: ${model.problem}`);
  }
  if (models.length === 0) session.console.say(`There is no model in ${modelFolders().join(' or ')}.`);
  return { code: models.some((model) => model.problem !== null) ? EXIT.partly : EXIT.ok, value: models };
}

/** Runs the goldens of every model, or of one. */
export async function checkModelsJob(console: Console, only: string | null): Promise<Outcome> {
  const inference = await localInference();
  try {
    const reports = await checkModels(inference, modelFolders(), (report: GoldenReport) => console.say(goldenLine(report)), only);
    if (reports.length === 0) throw new AppError('not-found', only === null ? 'There is no model.' : `There is no model "${only}".`, {});
    const failed = reports.filter((report) => !report.ok).length;
    for (const line of engineLines(inference.status())) console.say(line);
    console.say(`${reports.length - failed} passed, ${failed} failed`);
    return { code: failed > 0 ? EXIT.failed : EXIT.ok, value: reports };
  } finally {
    await inference.close();
  }
}
