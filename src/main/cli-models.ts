import { AppError } from '../shared/errors.ts';
import type { Console } from './cli-console.ts';
import { count, EXIT } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import { engineLines } from './cli-session.ts';
import type { CatalogEntry } from './inference/catalog.ts';
import { createCatalog, modelInfo } from './inference/catalog.ts';
import { checkModels, goldenLine } from './inference/check.ts';
import type { GoldenReport } from './inference/check.ts';
import { megabytes } from './inference/fetch-model.ts';
import { isPermissive } from './inference/fetch-source.ts';
import { weightFiles } from './inference/manifest.ts';
import { localInference, modelFolders } from './local-studio.ts';

/** Every model: whether it is ready, has to be fetched, or cannot be used; classes, size, licence. */
export async function listModelsJob(console: Console): Promise<Outcome> {
  const entries = await createCatalog(modelFolders()).list();
  for (const entry of entries) {
    const model = modelInfo(entry);
    const kind = [model.family, model.variant].filter((part) => part !== null).join(', ');
    const never = entry.manifest?.neverRun === true ? ', never run by us' : '';
    console.say(
      `${model.id} ${model.version}  ${model.name} (${kind}), ${count(model.labels.length, 'class')}, ${megabytes(model.bytes)}, ${model.license}${never}`,
    );
    console.say(`  ${model.labels.length > 12 ? `${model.labels.slice(0, 12).join(', ')}, …` : model.labels.join(', ')}`);
    console.say(
      `  ${stateOf(entry) === 'ready' ? 'ready' : stateOf(entry) === 'available' ? entry.problem : `cannot be used: ${entry.problem}`}`,
    );
  }
  if (entries.length === 0) console.say(`There is no model in ${modelFolders().join(' or ')}.`);
  const value = entries.map((entry) => ({
    ...modelInfo(entry),
    state: stateOf(entry),
    neverRun: entry.manifest?.neverRun ?? false,
    permissive: entry.manifest !== null && isPermissive(entry.manifest.license),
    sources: entry.manifest === null ? [] : weightFiles(entry.manifest).flatMap(({ sources }) => sources),
  }));
  return { code: value.some(({ state }) => state === 'unusable') ? EXIT.partly : EXIT.ok, value };
}

function stateOf(entry: CatalogEntry): 'ready' | 'available' | 'unusable' {
  if (entry.problem === null) return 'ready';
  return entry.toFetch ? 'available' : 'unusable';
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
