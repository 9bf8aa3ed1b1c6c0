/**
 * `npm run test:retrain`: from an annotated project to a bundle, through its own training script, and back with the model; on
 * drawn scenes, with the small network and few steps, some minutes on one core. Not part of `npm test`: it needs a Python with
 * torch and torchvision (`MASKLOOP_PYTHON`, else `python3`), and says so where there is none.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { writeAnnotated } from '../../e2e/annotated.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const SCENES = 12;

const root = mkdtempSync(join(tmpdir(), 'maskloop-retrain-'));
const env = { ...process.env, MASKLOOP_HOME: join(root, 'home') };
const photos = join(root, 'photos');
const out = join(root, 'bundle');
const run = join(out, 'runs', 'latest');
const counts = { passed: 0, failed: 0 };

/** What a command printed. Throws with its last lines where it failed. */
function output(command: string, args: readonly string[], cwd = root): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${`${stdout}${stderr}`.slice(-3000)}`);
  return stdout;
}

function maskloop<S extends z.ZodType>(schema: S, ...args: string[]): z.output<S> {
  const text = output(process.execPath, [join(ROOT, 'bin', 'maskloop.mjs'), ...args, '--json']);
  const { value } = z.object({ ok: z.literal(true), value: z.unknown() }).parse(JSON.parse(text));
  const found = schema.safeParse(value);
  if (found.success) return found.data;
  throw new Error(`maskloop ${args.join(' ')}: ${found.error.message}`);
}

function findPython(): string | null {
  const given = process.env['MASKLOOP_PYTHON'];
  const candidates = given === undefined ? ['python3', '/usr/bin/python3', 'python'] : [given];
  return candidates.find((python) => spawnSync(python, ['-c', 'import torch, torchvision']).status === 0) ?? null;
}

async function step(name: string, work: () => unknown): Promise<void> {
  const started = performance.now();
  try {
    const said = await work();
    counts.passed++;
    console.log(`ok      ${name}${typeof said === 'string' ? `: ${said}` : ''} (${Math.round((performance.now() - started) / 1000)} s)`);
  } catch (thrown) {
    counts.failed++;
    console.log(`FAILED  ${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

function ensure(is: boolean, otherwise: string): void {
  if (!is) throw new Error(otherwise);
}

const epoch = z.object({ epoch: z.number(), step: z.number(), loss: z.number() });
const log = (): readonly z.output<typeof epoch>[] =>
  readFileSync(join(run, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => epoch.parse(JSON.parse(line)));

async function main(python: string): Promise<void> {
  const script = (name: string, ...args: string[]): string => output(python, [join(out, name), ...args], out);
  const train = (...args: string[]): string =>
    script('train_torchvision.py', '--model', 'small', '--size', '160', '--batch', '2', '--threads', '1', '--workers', '0', ...args);

  await step('a project of drawn scenes is exported for retraining', async () => {
    await writeAnnotated(photos, SCENES, join(root, 'other-home'));
    const report = z.object({ parts: z.array(z.object({ split: z.string(), images: z.number() })), splitsMade: z.string() });
    const { parts } = maskloop(report, 'export', photos, '--format', 'mask-rcnn', '--out', out);
    ensure(parts.reduce((sum, { images }) => sum + images, 0) === SCENES, 'not every scene is in the bundle');
    return parts.map(({ split, images }) => `${images} ${split}`).join(', ');
  });
  await step('its scripts decode every mask to the pixel', () => {
    const count = output(python, [join(import.meta.dirname, 'compare_masks.py'), out]).trim();
    ensure(Number(count) > 50, `only ${count} masks were compared`);
    return `${count} masks`;
  });
  await step('the smoke run comes to an ONNX file', () => {
    script('train_torchvision.py', '--smoke', '--model', 'small', '--threads', '1');
    for (const name of ['model.onnx', 'manifest.json', 'training.json', 'checkpoint.pt']) ensure(existsSync(join(run, name)), `no ${name}`);
  });
  await step('a bundle with a missing image says which', () => {
    const [name = ''] = readdirSync(join(out, 'dataset', 'images'));
    const image = join(out, 'dataset', 'images', name);
    renameSync(image, `${image}.away`);
    const { status, stderr } = spawnSync(python, [join(out, 'train_torchvision.py'), '--smoke'], { cwd: out, env, encoding: 'utf8' });
    renameSync(`${image}.away`, image);
    ensure(status === 1 && stderr.includes(name) && !stderr.includes('Traceback'), stderr);
  });
  await step('an epoch is trained, then the run goes on, and the loss falls', () => {
    train('--epochs', '1');
    ensure(readdirSync(join(out, 'runs')).length === 2, 'the smoke run was not set aside');
    const said = train('--resume', '--epochs', '4');
    ensure(said.includes('Going on after epoch 1'), 'it did not go on');
    const losses = log();
    ensure(losses.map((line) => line.epoch).join() === '1,2,3,4', `epochs ${losses.map((line) => line.epoch).join()}`);
    const [first, last] = [losses[0]?.loss ?? 0, losses.at(-1)?.loss ?? Infinity];
    ensure(last < 0.75 * first, `loss ${first} → ${last}`);
    return `loss ${first} → ${last} in ${losses.at(-1)?.step} steps`;
  });
  const score = z.object({ modelId: z.string(), images: z.number(), segm: z.object({ AP: z.number(), AP50: z.number() }) });
  let modelId = '';
  await step('the model comes back and is measured on what was held out', () => {
    const returned = z.object({ modelId: z.string(), after: score, before: score.nullable(), warnings: z.array(z.string()) });
    const { after, warnings } = maskloop(returned, 'models', 'return', photos, join(run, 'model.onnx'));
    ensure(after.images > 0 && after.segm.AP >= 0, `measured on ${after.images} images: ${after.segm.AP}`);
    ensure(!warnings.some((text) => text.includes('trained on')), warnings.join(' '));
    modelId = after.modelId;
    return `mask AP ${after.segm.AP.toFixed(3)}, AP50 ${after.segm.AP50.toFixed(3)} on ${after.images} images`;
  });
  await step('it proposes instances', () => {
    const predicted = z.object({ run: z.object({ total: z.number(), suggestions: z.number() }) });
    const { run: done } = maskloop(predicted, 'predict', photos, '--model', modelId, '--all');
    ensure(done.total === SCENES && done.suggestions > 0, `${done.suggestions} suggestions on ${done.total} images`);
    return `${done.suggestions} suggestions on ${done.total} images`;
  });
  await step('what it reached is kept', () => {
    const scores = maskloop(z.array(score), 'models', 'history', photos);
    ensure(scores.length === 1 && scores[0]?.modelId === modelId, `${scores.length} scores`);
  });
}

const python = findPython();
if (python === null) {
  console.log('skipped: no Python with torch and torchvision here. Install them, or name one with MASKLOOP_PYTHON.');
} else {
  try {
    await main(python);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  if (counts.failed > 0) process.exitCode = 1;
}
