import { readFile, writeFile } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { DoctorReport, ModelDraft } from '../shared/answers/models.ts';
import { AppError } from '../shared/errors.ts';
import { appFolder } from './app-folder.ts';
import type { Console } from './cli-console.ts';
import { count, EXIT } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import { parseLines } from './draft-files.ts';
import { pictureOf, reportOf } from './draft-overlay.ts';
import { createDrafts } from './drafts.ts';
import { createCatalog } from './inference/catalog.ts';
import type { Inference } from './inference/inference.ts';
import { megabytes } from './inference/fetch-model.ts';
import { localInference, modelFolders, userModelFolder } from './local-studio.ts';
import { sampleImage } from './model-handlers.ts';

interface AddFlags {
  readonly id?: string;
  readonly family?: string;
  readonly labels?: string;
  readonly license?: string;
  readonly set: Readonly<Record<string, string>>;
  readonly image?: string;
  readonly yes?: true;
}

/** `maskloop models add` and `maskloop models doctor`. */
export function addModelCommands(models: Command, console: Console, finish: (outcome: Outcome) => void): void {
  models
    .command('add <files...>')
    .description('add a model of your own: .onnx, encoder and decoder of a SAM, a folder, or an X-AnyLabeling .yaml')
    .option('--id <id>', 'what it is called here')
    .option('--family <family>', 'mask-rcnn, yolo-seg, instance-maps, semantic, salient, classifier or sam, where several fit')
    .option('--labels <file>', 'class names, one a line')
    .option('--license <spdx>', 'licence of the weights; LicenseRef-own for your own')
    .option('--set <key=value>', 'answer another question; may be given several times', keyValue, {})
    .option('--image <file>', 'image to try it on; one that comes along otherwise')
    .option('--yes', 'add it when the doctor finds nothing wrong; without this, only say what would be added')
    .option('--json', 'print one JSON object instead of text')
    .action(async (files: string[], flags: AddFlags) => {
      finish(await withInference((inference) => addModelJob(console, inference, files, flags)));
    });
  models
    .command('doctor <id>')
    .description('run a model on an image and look at what it does with suspicion')
    .requiredOption('--image <file>', 'image to run it on')
    .option('--out <file>', 'write the image with what was found drawn over it (.jpg or .png)')
    .option('--json', 'print one JSON object instead of text')
    .action(async (id: string, { image, out }: { image: string; out?: string }) => {
      finish(await withInference((inference) => doctorJob(console, inference, id, image, out ?? null)));
    });
}

function keyValue(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const [, key, value] = /^([A-Za-z]+)=([\s\S]*)$/.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError('key=value is expected.');
  return { ...before, [key]: value };
}

async function withInference(job: (inference: Inference) => Promise<Outcome>): Promise<Outcome> {
  const inference = await localInference();
  try {
    return await job(inference);
  } finally {
    await inference.close();
  }
}

async function addModelJob(console: Console, inference: Inference, files: readonly string[], flags: AddFlags): Promise<Outcome> {
  const catalog = createCatalog(modelFolders());
  const drafts = createDrafts({
    inference,
    folder: join(appFolder(), 'drafts', String(process.pid)),
    modelFolder: userModelFolder(),
    takenIds: async () => (await catalog.list()).map((entry) => entry.id),
    onDownload: (_draftId, { received, total, from }) =>
      console.progress(`${megabytes(received)}${total === null ? '' : ` of ${megabytes(total)}`} from ${from}`),
  });
  try {
    const answers = await answersOf(flags);
    const { draftId } = await drafts.inspect(files.map((file) => resolve(file)));
    const draft = await drafts.propose(draftId, answers);
    tellDraft(console, draft);
    if (draft.problem !== null) throw new AppError('unsupported', draft.problem);
    if (draft.missing.length > 0)
      throw new AppError('invalid', `It still has to be said: ${draft.missing.map((key) => howTo(draft, key)).join('; ')}.`);
    const report = await drafts.examine(draftId, answers, flags.image === undefined ? sampleImage(modelFolders()) : resolve(flags.image));
    tellReport(console, report);
    const wrong = report.signs.some((sign) => sign.severity === 'wrong');
    const kept = flags.yes === true && !wrong;
    if (kept) console.say(`Added: ${join(userModelFolder(), await drafts.keep(draftId, answers))}`);
    else console.say(wrong ? 'Not added: something is wrong, see above.' : 'Nothing was added. Say --yes to add it like this.');
    const value = { id: report.modelId, added: kept, draft, report: { ...report, overlay: undefined } };
    return { code: wrong ? EXIT.failed : EXIT.ok, value };
  } finally {
    await drafts.close();
  }
}

async function answersOf(flags: AddFlags): Promise<Readonly<Record<string, string>>> {
  const labels = flags.labels === undefined ? undefined : parseLines(await readFile(resolve(flags.labels), 'utf8')).join('\n');
  const named = Object.entries({ id: flags.id, family: flags.family, license: flags.license, labels });
  return { ...flags.set, ...Object.fromEntries(named.filter((pair): pair is [string, string] => pair[1] !== undefined)) };
}

function tellDraft(console: Console, draft: ModelDraft): void {
  for (const file of draft.files) {
    const facts = [megabytes(file.bytes), file.producer, file.opset === null ? null : `opset ${file.opset}`].filter(
      (part) => part !== null,
    );
    console.say(`${file.name} (${file.role}), ${facts.join(', ')}`);
    for (const [what, tensors] of [
      ['takes', file.inputs],
      ['answers', file.outputs],
    ] as const) {
      for (const { name, type, shape } of tensors) console.say(`  ${what} ${name} ${type} [${shape.join(', ')}]`);
    }
  }
  for (const note of draft.notes) console.say(`  ${note}`);
  for (const field of draft.fields) {
    const value =
      field.value === null
        ? '?'
        : field.value.length > 60
          ? `${field.value.slice(0, 60).replaceAll('\n', ', ')} …`
          : field.value.replaceAll('\n', ', ');
    console.say(`  ${field.key} = ${value}  (${draft.missing.includes(field.key) ? 'needed' : field.certainty}: ${field.why})`);
  }
}

/** `--license <Apache-2.0|MIT|…>`, as the command line takes an answer. */
function howTo(draft: ModelDraft, key: string): string {
  const field = draft.fields.find((candidate) => candidate.key === key);
  const choices = field?.options.map((option) => option.value).join('|') ?? '';
  const value = choices === '' ? 'VALUE' : choices;
  if (key === 'labels') return `--labels FILE (${field?.why ?? ''})`;
  return ['id', 'family', 'license'].includes(key) ? `--${key} ${value}` : `--set ${key}=${value}`;
}

function tellReport(console: Console, report: DoctorReport): void {
  const classes = report.classes.map(({ label, count: n, best }) => `${n} × ${label} (best ${best.toFixed(2)})`);
  console.say(
    `On ${report.image}: ${count(report.instances, 'instance')}, ${report.shown} of them shown at first${classes.length ? `: ${classes.join(', ')}` : ''}; ` +
      `${report.provider}, ${Math.round(report.runMs)} ms in the model, ${Math.round(report.totalMs)} ms in all, loaded in ${Math.round(report.loadMs)} ms`,
  );
  for (const { label, score } of report.tags) console.say(`  ${label} ${score.toFixed(2)}`);
  for (const { severity, text } of report.signs) console.say(`  ${severity}: ${text}`);
  if (report.signs.length === 0) console.say('  nothing looks wrong');
}

async function doctorJob(console: Console, inference: Inference, id: string, image: string, out: string | null): Promise<Outcome> {
  const folders = modelFolders();
  const { manifest } = await createCatalog(folders).use(id);
  const path = resolve(image);
  const seen = await inference.examine({ modelId: id, folders, path });
  const report = await reportOf(path, manifest, seen);
  tellReport(console, report);
  if (out !== null) {
    await writeFile(resolve(out), await pictureOf(path, manifest, seen, extname(out).toLowerCase()));
    console.say(`Drawn: ${resolve(out)}`);
  }
  const wrong = report.signs.some((sign) => sign.severity === 'wrong');
  return { code: wrong ? EXIT.failed : EXIT.ok, value: { ...report, overlay: undefined } };
}
