import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { maskIou } from '../../shared/mask/rle.ts';
import { toWireError } from '../../shared/errors.ts';
import type { CatalogEntry } from './catalog.ts';
import { createCatalog } from './catalog.ts';
import type { Inference, PredictedInstance, Prediction } from './inference.ts';
import type { GoldenAnswer, Manifest } from './manifest.ts';
import { parseGoldenAnswer } from './manifest.ts';

/** How one golden of a model came out. */
export interface GoldenReport {
  readonly modelId: string;
  readonly image: string;
  readonly ok: boolean;
  /** Instances at or above the model's score threshold: expected, and found for one of them. */
  readonly expected: number;
  readonly matched: number;
  /** Found at or above the threshold, but expected nowhere. */
  readonly extra: number;
  /** Of the matched; null when none is. */
  readonly minIou: number | null;
  readonly maxScoreDifference: number | null;
  readonly provider: string;
  readonly ms: number;
  /** What is wrong, or null. */
  readonly problem: string | null;
}

/**
 * Runs every golden of every model in `modelFolders` through `inference`: an image, and the answer of the
 * reference implementation that the model was exported from. A model that cannot be used, or has no
 * golden, is a failed report of its own; unless asked for by name, one that was not fetched, or that says
 * itself that nobody ran it, is left out. Answers in order; tells each report to `onReport` as it comes.
 */
export async function checkModels(
  inference: Inference,
  modelFolders: readonly string[],
  onReport: (report: GoldenReport) => void = () => undefined,
  only: string | null = null,
): Promise<readonly GoldenReport[]> {
  const reports: GoldenReport[] = [];
  const add = (report: GoldenReport): void => {
    reports.push(report);
    onReport(report);
  };
  for (const entry of await createCatalog(modelFolders).list()) {
    if (only === null ? entry.toFetch || entry.manifest?.neverRun === true : entry.id !== only) continue;
    if (!entry.manifest || entry.problem !== null) {
      add(failed(entry.id, '', entry.problem ?? 'its manifest cannot be read'));
      continue;
    }
    // What answers prompts has no answer of its own for an image; its tests and the bench ask it.
    if (only === null && entry.manifest.family === 'sam' && entry.manifest.goldens.length === 0) continue;
    if (entry.manifest.goldens.length === 0) add(failed(entry.id, '', 'the manifest lists no golden'));
    for (const golden of entry.manifest.goldens) add(await checkGolden(inference, entry, entry.manifest, golden));
  }
  return reports;
}

async function checkGolden(
  inference: Inference,
  entry: CatalogEntry,
  manifest: Manifest,
  golden: Manifest['goldens'][number],
): Promise<GoldenReport> {
  try {
    const file = join(entry.folder, golden.expected);
    const answer = parseGoldenAnswer(await readFile(file, 'utf8'), file);
    const path = join(entry.folder, golden.image);
    const prediction = await inference.predict({ modelId: entry.id, path, priority: 'user', next: null });
    return compareGolden(manifest, golden, answer, prediction);
  } catch (thrown) {
    return failed(entry.id, golden.image, toWireError(thrown).message);
  }
}

/**
 * Compares an answer with the expected one. Instances are matched one to one: same label, best mask IoU
 * first. Only those at or above the score threshold must be there; one that lies within the allowed
 * difference of the threshold may be on either side of it.
 */
export function compareGolden(
  manifest: Manifest,
  golden: Manifest['goldens'][number],
  answer: GoldenAnswer,
  prediction: Prediction,
): GoldenReport {
  if (answer.tags !== undefined) return compareTags(manifest, golden, { ...answer, tags: answer.tags }, prediction);
  const { score: threshold } = manifest.thresholds;
  const slack = golden.maxScoreDifference;
  const expected = answer.instances.filter((instance) => instance.score >= threshold + slack);
  const pairs = match(answer.instances, prediction.instances);
  const required = pairs.filter((pair) => pair.expected.score >= threshold + slack);
  const taken = new Set(pairs.map((pair) => pair.found));
  const extra = prediction.instances.filter((found) => found.score >= threshold + slack && !taken.has(found));
  const minIou = required.length ? Math.min(...required.map((pair) => pair.iou)) : null;
  const difference = required.length ? Math.max(...required.map((pair) => Math.abs(pair.expected.score - pair.found.score))) : null;
  const problems = [
    prediction.width === answer.width && prediction.height === answer.height
      ? null
      : `answered for ${prediction.width} × ${prediction.height}, expected ${answer.width} × ${answer.height}`,
    expected.length === 0 ? 'expects no instance above the score threshold, so it shows nothing' : null,
    required.length < expected.length ? `${expected.length - required.length} of ${expected.length} were not found` : null,
    extra.length > 0 ? `${extra.length} found that nobody expects` : null,
    minIou !== null && minIou < golden.minIou ? `least mask IoU ${minIou.toFixed(4)}, expected ${golden.minIou}` : null,
    difference !== null && difference > slack ? `scores differ by ${difference.toFixed(4)}, allowed ${slack}` : null,
  ].filter((problem) => problem !== null);
  return {
    modelId: manifest.id,
    image: golden.image,
    ok: problems.length === 0,
    expected: expected.length,
    matched: required.length,
    extra: extra.length,
    minIou,
    maxScoreDifference: difference,
    provider: prediction.provider,
    ms: prediction.totalMs,
    problem: problems.length === 0 ? null : problems.join('; '),
  };
}

/** Every tag that is surely kept must be there, none besides, each with its score. */
function compareTags(
  manifest: Manifest,
  golden: Manifest['goldens'][number],
  answer: GoldenAnswer & { readonly tags: NonNullable<GoldenAnswer['tags']> },
  prediction: Prediction,
): GoldenReport {
  const slack = golden.maxScoreDifference;
  const found = new Map((prediction.tags ?? []).map(({ label, score }) => [label, score]));
  const sure = answer.tags.filter(({ score }) => score >= manifest.thresholds.keep + slack);
  const there = answer.tags.filter(({ label }) => found.has(label));
  const matched = sure.filter(({ label }) => found.has(label)).length;
  const difference = Math.max(0, ...there.map(({ label, score }) => Math.abs(score - (found.get(label) ?? 0))));
  const extra = found.size - there.length;
  const problems = [
    sure.length === 0 ? 'expects no tag, so it shows nothing' : null,
    matched < sure.length ? `${sure.length - matched} of ${sure.length} tags were not found` : null,
    extra > 0 ? `${extra} tags found that nobody expects` : null,
    difference > slack ? `scores differ by ${difference.toFixed(4)}, allowed ${slack}` : null,
  ].filter((problem) => problem !== null);
  return {
    modelId: manifest.id,
    image: golden.image,
    ok: problems.length === 0,
    expected: sure.length,
    matched,
    extra,
    minIou: null,
    maxScoreDifference: difference,
    provider: prediction.provider,
    ms: prediction.totalMs,
    problem: problems.length === 0 ? null : problems.join('; '),
  };
}

type Expected = GoldenAnswer['instances'][number];
interface Pair {
  readonly expected: Expected;
  readonly found: PredictedInstance;
  readonly iou: number;
}

function match(expected: readonly Expected[], found: readonly PredictedInstance[]): Pair[] {
  const candidates: Pair[] = [];
  for (const e of expected) {
    for (const f of found) {
      if (e.label !== f.label || e.rle.size[0] !== f.rle.size[0] || e.rle.size[1] !== f.rle.size[1]) continue;
      const iou = maskIou(e.rle, f.rle);
      if (iou > 0) candidates.push({ expected: e, found: f, iou });
    }
  }
  candidates.sort((a, b) => b.iou - a.iou);
  const pairs: Pair[] = [];
  const used = new Set<Expected | PredictedInstance>();
  for (const pair of candidates) {
    if (used.has(pair.expected) || used.has(pair.found)) continue;
    used.add(pair.expected).add(pair.found);
    pairs.push(pair);
  }
  return pairs;
}

function failed(modelId: string, image: string, problem: string): GoldenReport {
  return {
    modelId,
    image,
    ok: false,
    expected: 0,
    matched: 0,
    extra: 0,
    minIou: null,
    maxScoreDifference: null,
    provider: '',
    ms: 0,
    problem,
  };
}

/** One report as a line for a terminal. */
export function goldenLine(report: GoldenReport): string {
  const head = `${report.ok ? 'ok    ' : 'FAILED'} ${report.modelId}${report.image ? ` ${report.image}` : ''}`;
  const figures =
    report.minIou === null
      ? report.expected === 0
        ? ''
        : `  ${report.matched}/${report.expected} tags, scores within ${(report.maxScoreDifference ?? 0).toFixed(5)}, ${Math.round(report.ms)} ms on ${report.provider}`
      : `  ${report.matched}/${report.expected} instances, min IoU ${report.minIou.toFixed(4)}, ` +
        `scores within ${(report.maxScoreDifference ?? 0).toFixed(5)}, ${Math.round(report.ms)} ms on ${report.provider}`;
  return head + figures + (report.problem === null ? '' : `\n       ${report.problem}`);
}
