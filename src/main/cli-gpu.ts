import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { AppError } from '../shared/errors.ts';
import type { GpuProgress, GpuStatus } from '../shared/answers/providers.ts';
import { appFolder } from './app-folder.ts';
import { count, EXIT } from './cli-console.ts';
import type { Console } from './cli-console.ts';
import type { Outcome } from './cli-jobs.ts';
import { gpuDevices } from './inference/gpu-devices.ts';
import { megabytes } from './inference/fetch-model.ts';
import { installGpu, removeGpu } from './inference/gpu-install.ts';
import { gpuStatus, packageHere } from './inference/gpu-status.ts';
import { localInference } from './local-studio.ts';
import { gpuFolderOf, providerRecord } from './provider-handlers.ts';

/** What there is for NVIDIA GPUs on this machine, what is missing, and what to do next. */
export async function gpuStatusJob(console: Console): Promise<Outcome> {
  const status = await gpuStatus(gpuFolderOf(appFolder()));
  for (const line of gpuLines(status)) console.say(line);
  const record = providerRecord(appFolder());
  const [refusals, comparisons, timings] = await Promise.all([record.refusals(), record.comparisons(), record.timings()]);
  for (const { provider, reason } of refusals) console.say(`${provider} is not tried: ${reason} (\`maskloop gpu retry\` forgets that)`);
  for (const { modelId, provider, ok, reason } of comparisons) {
    console.say(`${modelId} on ${provider}: ${ok ? 'compared with the CPU, the same answers' : (reason ?? 'refused')}`);
  }
  for (const { modelId, provider, medianMs, runs, threads } of timings) {
    console.say(
      `${modelId} on ${provider}${provider === 'cpu' ? `, ${count(threads, 'thread')}` : ''}: ${medianMs.toFixed(1)} ms (median, ${count(runs, 'run')})`,
    );
  }
  return { code: EXIT.ok, value: { ...status, refusals, comparisons, timings } };
}

/** Fetches the package, checks it, and unpacks the libraries. Ctrl-C keeps what came. */
export async function gpuInstallJob(console: Console, signal: AbortSignal): Promise<Outcome> {
  const folder = gpuFolderOf(appFolder());
  const wanted = packageHere();
  if (wanted === null) throw new AppError('unsupported', (await gpuStatus(folder)).unsupported ?? 'There is nothing to install here.');
  console.say(`${wanted.name} ${wanted.version}, as the installed ONNX Runtime asks for it`);
  console.say(`  from ${wanted.index}`);
  await installGpu({ package: wanted, folder, signal, onProgress: (progress) => console.progress(gpuProgressLine(progress)) });
  await providerRecord(appFolder()).forget();
  const status = await gpuStatus(folder);
  console.say('Size and SHA-512 are right.');
  for (const line of gpuLines(status)) console.say(line);
  return { code: EXIT.ok, value: status };
}

export async function gpuRemoveJob(console: Console): Promise<Outcome> {
  const folder = gpuFolderOf(appFolder());
  const removed = await removeGpu(folder);
  console.say(removed ? `Removed ${folder}` : 'Nothing was installed: there is nothing to remove.');
  return { code: EXIT.ok, value: { removed, folder } };
}

/** Forgets what was refused, so that every provider is tried again. */
export async function gpuRetryJob(console: Console): Promise<Outcome> {
  await providerRecord(appFolder()).forget();
  console.say('Every provider is tried again with the next model.');
  return { code: EXIT.ok, value: null };
}

/** Measures a model on an image with every provider that can run it, and compares their answers. */
export async function gpuMeasureJob(console: Console, signal: AbortSignal, image: string, modelId: string, runs: number): Promise<Outcome> {
  const inference = await localInference();
  const stop = inference.onStatus(({ message }) => {
    if (message !== null) console.progress(message);
  });
  try {
    const measured = await inference.measure({ modelId, path: resolve(image), runs }, signal);
    for (const { provider, runMs, loadMs, reason, comparison } of measured) {
      const median = runMs[runMs.length >> 1];
      const figures =
        median === undefined ? '' : `${median.toFixed(1)} ms (median of ${runMs.length}), loaded in ${Math.round(loadMs ?? 0)} ms`;
      console.say(`${provider}: ${[figures, reason ?? ''].filter((part) => part !== '').join('; ')}`);
      if (comparison !== null) {
        const { expected, matched, extra, minIou, maxScoreDifference } = comparison;
        console.say(
          `  against the CPU: ${matched} of ${count(expected, 'instance')} found, ${extra} more, least IoU ${minIou.toFixed(3)}, scores within ${maxScoreDifference.toFixed(4)}`,
        );
      }
    }
    return { code: EXIT.ok, value: { measured, devices: await gpuDevices() } };
  } finally {
    stop();
    await inference.close();
  }
}

/** `maskloop gpu …`. */
export function addGpuCommands(root: Command, beside: { console: Console; signal: AbortSignal; finish: (outcome: Outcome) => void }): void {
  const { console, signal, finish } = beside;
  const gpu = root.command('gpu').description('what models run on: GPUs, the libraries for NVIDIA ones, and measured times');
  const command = (name: string, description: string): Command =>
    gpu.command(name).description(description).option('--json', 'print one JSON object instead of text');
  command('status', 'what there is, what is missing and what to do next').action(async () => finish(await gpuStatusJob(console)));
  command('install', 'fetch the CUDA libraries of ONNX Runtime (Linux), check and unpack them').action(async () =>
    finish(await gpuInstallJob(console, signal)),
  );
  command('remove', 'delete those libraries').action(async () => finish(await gpuRemoveJob(console)));
  command('retry', 'forget which providers were refused, so that they are tried again').action(async () =>
    finish(await gpuRetryJob(console)),
  );
  command('measure <image>', 'time a model on every provider that can run it, and compare their answers')
    .requiredOption('--model <id>', 'model to run')
    .option('--runs <n>', 'counted runs of each', wholeRuns, 10)
    .action(async (image: string, options: { model: string; runs: number }) =>
      finish(await gpuMeasureJob(console, signal, image, options.model, options.runs)),
    );
}

function wholeRuns(text: string): number {
  const runs = Number(text);
  if (!(Number.isInteger(runs) && runs >= 1 && runs <= 1000))
    throw new InvalidArgumentError(`"${text}" is not a whole number from 1 to 1000.`);
  return runs;
}

function gpuLines(status: GpuStatus): string[] {
  const devices = status.devices.map(
    ({ name, driver, memoryMb }) => `${name}${driver === null ? '' : `, driver ${driver}`}${memoryMb === null ? '' : `, ${memoryMb} MB`}`,
  );
  const installed =
    status.installed === null
      ? [`Not installed${status.unfinishedBytes > 0 ? `; ${megabytes(status.unfinishedBytes)} of the package are here already` : ''}`]
      : [`Installed in ${status.folder}, ${megabytes(status.installed.bytes)}: ${status.installed.files.join(', ')}`];
  const found = status.libraries.filter(({ path }) => path !== null).map(({ path }) => `  found: ${path ?? ''}`);
  const byHint = new Map<string, string[]>();
  for (const { name, path, hint } of status.libraries) if (path === null) byHint.set(hint ?? '', [...(byHint.get(hint ?? '') ?? []), name]);
  const libraries = [...found, ...[...byHint].flatMap(([hint, names]) => [`  missing: ${names.join(', ')}`, `    ${hint}`])];
  return [
    `ONNX Runtime ${status.ortVersion}`,
    devices.length === 0 ? 'No GPU is seen by the tools of this system' : `GPU: ${devices.join('; ')}`,
    ...(status.unsupported === null ? [...installed, 'Needed from the system:', ...libraries] : []),
    status.next,
  ];
}

export function gpuProgressLine({ stage, done, total }: GpuProgress): string {
  const words = {
    asking: 'Asking the feed',
    downloading: 'Downloading',
    checking: 'Checking',
    unpacking: 'Unpacking',
    done: 'Done',
    failed: 'Failed',
  };
  return `${words[stage]}${total === null ? '' : `: ${megabytes(done)} of ${megabytes(total)}`}`;
}
