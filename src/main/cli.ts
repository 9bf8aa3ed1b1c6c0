import { resolve } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import type { RunOptions } from '../shared/answers.ts';
import { HINTLESS_METHODS } from '../shared/classical/questions.ts';
import { toWireError } from '../shared/errors.ts';
import { appFolder } from './app-folder.ts';
import { addModelCommands } from './cli-add-model.ts';
import { addReturnCommands } from './cli-bundle.ts';
import type { Console } from './cli-console.ts';
import { count, createConsole, EXIT } from './cli-console.ts';
import { addConvertCommand } from './cli-convert.ts';
import { addCutoutCommand } from './cli-cutout.ts';
import { demoJob } from './cli-demo.ts';
import { addEvaluateCommand } from './cli-evaluate.ts';
import { addExportCommand } from './cli-export.ts';
import type { Outcome } from './cli-jobs.ts';
import { acceptJob, predictJob, scanJob } from './cli-jobs.ts';
import { getModelJob, removeModelJob } from './cli-fetch.ts';
import { addImportCommand } from './cli-import.ts';
import { addGpuCommands } from './cli-gpu.ts';
import { checkModelsJob, listModelsJob } from './cli-models.ts';
import { score, wholeNumber } from './cli-numbers.ts';
import { addCountsCommand, addRenderCommand } from './cli-render.ts';
import { createSession } from './cli-session.ts';
import { setting } from './cli-setting.ts';
import type { Session } from './cli-session.ts';
import { addSplitCommand, addStatsCommand } from './cli-statistics.ts';
import { verifyJob } from './cli-verify.ts';
import { createLocalStudio } from './local-studio.ts';
import { writeSample } from './sample.ts';
import { serve } from './serve.ts';
import { appVersion } from './version.ts';

const EXIT_CODES = `
Exit codes: 0 done; 1 failed; 2 wrong usage; 3 done, but something failed or could not be taken (it is listed; what was asked to be left out does not count); 130 cancelled.
With --json exactly one object is printed on stdout: {"ok":true,"value":…} or {"ok":false,"error":{"code","message","detail"}}.`;

/**
 * The command line. `argv` without the program's name; answers with the exit code and never throws.
 * Everything that touches a project goes through the studio and the contract, with inference in this
 * process. Ctrl-C cancels; a second one ends at once.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const console = createConsole(argv.includes('--json'));
  const abort = new AbortController();
  const interrupt = (): void => {
    if (abort.signal.aborted) process.exit(EXIT.cancelled);
    abort.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  let code: number = EXIT.ok;
  const finish = (outcome: Outcome): void => {
    console.result(outcome.value, outcome.bare === true);
    code = outcome.code;
  };
  try {
    await program(console, abort.signal, finish).parseAsync([...argv], { from: 'user' });
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      if (thrown.exitCode === 0) return EXIT.ok;
      // Commander has written its own lines to stderr.
      const message = thrown.message === '(outputHelp)' ? 'Name a command; `maskloop --help` lists them.' : thrown.message;
      if (console.json) console.error({ code: 'invalid', message, detail: {} });
      return EXIT.usage;
    }
    const error = toWireError(thrown);
    console.error(error);
    return error.code === 'cancelled' ? EXIT.cancelled : EXIT.failed;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
  return code;
}

interface PredictFlags {
  readonly model?: string;
  readonly method?: string;
  readonly set: RunOptions;
  readonly regions?: string;
  readonly results?: string;
  readonly all?: true;
  readonly resume?: number;
}

function program(console: Console, signal: AbortSignal, finish: (outcome: Outcome) => void): Command {
  /** A job on a studio of its own, closed whatever happens. */
  const withStudio = async (job: (session: Session) => Promise<Outcome>): Promise<void> => {
    const studio = await createLocalStudio();
    try {
      finish(await job(createSession(studio, console, signal)));
    } finally {
      await studio.close();
    }
  };
  const root = new Command('maskloop')
    .description('Masks proposed by a model, corrected by you, exported as a COCO dataset. Offline.')
    .version(appVersion())
    .option('--json', 'print one JSON object instead of text')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true });
  const command = (name: string, description: string): Command =>
    root.command(name).description(description).option('--json', 'print one JSON object instead of text');

  command('serve [folder]', 'the studio in a browser on this machine (127.0.0.1, one-time address)')
    .option('--port <port>', 'port to listen on; 0 lets the system choose', wholeNumber, 0)
    .option('--sample', 'open the sample project')
    .action(async (folder: string | undefined, options: { port: number; sample?: true }) => {
      await serve({ folder: folder ?? null, sample: options.sample === true, port: options.port, console, signal });
      finish({ code: EXIT.ok, value: null });
    });

  command('demo [dir]', 'the whole job on the sample project, in one go').action((dir: string | undefined) =>
    withStudio((session) => demoJob(session, dir ?? `${appFolder()}/demo`)),
  );

  command('sample <dir>', 'write the sample photographs into a folder').action(async (dir: string) => {
    const folder = resolve(dir);
    await writeSample(folder, (written, total) => console.progress(`Drawing: ${written} of ${count(total, 'photo')}`));
    console.say(`The sample photographs are in ${folder}`);
    finish({ code: EXIT.ok, value: { folder } });
  });

  command('scan <folder>', 'make or refresh the project of a folder, and list what cannot be read').action((folder: string) =>
    withStudio((session) => scanJob(session, folder)),
  );

  command('predict <folder>', 'let a model propose instances')
    .option('--model <id>', 'model to use (see `maskloop models list`)')
    .addOption(new Option('--method <id>', 'a classical method instead').choices(HINTLESS_METHODS).conflicts('model'))
    .option('--set <name=value>', 'a parameter of the method, or an option of the model; may be repeated', setting, {})
    .addOption(
      new Option('--regions <way>', 'of a semantic or salient model: each connected piece, or one region for each class').choices([
        'components',
        'class',
      ]),
    )
    .option('--results <file>', 'also write the suggestions as a COCO results file')
    .option('--all', 'also images that somebody has worked on; their annotations stay as they are')
    .option('--resume <run>', 'go on with an interrupted or cancelled run', wholeNumber)
    .action((folder: string, options: PredictFlags) =>
      withStudio((session) =>
        predictJob(session, folder, {
          model: options.model ?? options.method ?? null,
          all: options.all === true,
          resume: options.resume ?? null,
          results: options.results ?? null,
          set: { ...options.set, ...(options.regions === undefined ? {} : { regions: options.regions }) },
        }),
      ),
    );

  command('accept <folder>', 'accept pending suggestions as they are')
    .requiredOption('--min-score <score>', 'lowest score to accept, 0 to 1', score)
    .action((folder: string, options: { minScore: number }) => withStudio((session) => acceptJob(session, folder, options.minScore)));

  addImportCommand(command, withStudio);
  addExportCommand(command, withStudio);
  addConvertCommand(command, { console, signal, finish });
  addRenderCommand(command, withStudio);
  addCountsCommand(command, withStudio);
  addSplitCommand(command, withStudio);
  addStatsCommand(command, withStudio);
  addCutoutCommand(command, { withStudio, console, signal, finish });

  addEvaluateCommand(command, { withStudio, console, signal, finish });

  const models = root.command('models').description('the models that are here, and those that can be fetched');
  addModelCommands(models, console, finish);
  addReturnCommands(models, withStudio);
  models
    .command('list')
    .description('every model: ready, to be fetched, or why it cannot be used')
    .option('--json', 'print one JSON object instead of text')
    .action(async () => {
      finish(await listModelsJob(console));
    });
  models
    .command('get <id>')
    .description('fetch the weights of a model, and check that they are the right ones')
    .option('--accept-license', 'you have read and agree to a licence that is not permissive')
    .option('--json', 'print one JSON object instead of text')
    .action(async (id: string, options: { acceptLicense?: true }) => {
      finish(await getModelJob(console, signal, id, options.acceptLicense === true));
    });
  models
    .command('remove <id>')
    .description('delete fetched weights, or a model of your own')
    .option('--own', 'also a model that you added, with its file')
    .option('--json', 'print one JSON object instead of text')
    .action(async (id: string, options: { own?: true }) => {
      finish(await removeModelJob(console, id, options.own === true));
    });
  models
    .command('check [id]')
    .description("run every model's goldens")
    .option('--json', 'print one JSON object instead of text')
    .action(async (id: string | undefined) => {
      finish(await checkModelsJob(console, id ?? null));
    });

  addGpuCommands(root, { console, signal, finish });

  command('verify <folder>', 'check the project file: integrity, references, and that the journal replays to the same state').action(
    (folder: string) => {
      finish(verifyJob(console, folder));
    },
  );
  return root;
}
