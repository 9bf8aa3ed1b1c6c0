import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { UsableModel } from '../src/main/inference/catalog.ts';
import { createCatalog } from '../src/main/inference/catalog.ts';
import { createEmbeddings } from '../src/main/inference/embeddings.ts';
import type { MaskGrid } from '../src/main/inference/families/sam-grid.ts';
import { gridMask } from '../src/main/inference/families/sam-grid.ts';
import type { EmbedRequest } from '../src/main/inference/inference.ts';
import type { Prompting } from '../src/main/inference/prompts/prompting.ts';
import { createPrompting } from '../src/main/inference/prompts/prompting.ts';
import { wholeView } from '../src/main/inference/prompts/views.ts';
import { createSessions } from '../src/main/inference/sessions.ts';
import { modelFolders } from '../src/main/local-studio.ts';
import { decodeRle, maskIou } from '../src/shared/mask/rle.ts';
import type { Rle } from '../src/shared/records.ts';
import { seededRandom } from '../src/shared/scenes/random.ts';
import type { Click } from './annotator-clicks.ts';
import { nextClick } from './annotator-clicks.ts';
import { oracle } from './annotator-oracle.ts';

/**
 * A simulated annotator (the NoC protocol of interactive segmentation): clicks an object of coco-tiny's val
 * split until its mask is good, each click at the deepest point of what is wrong, at most ten. Ours is the
 * prompt path of the studio, a closer look included; the reference is the bare decoder, its surest mask
 * shown and fed back. A second annotator of ours also steps to another candidate (Tab) where that one is
 * clearly better, each step counted beside the clicks. An oracle, finally, says what choosing could bring at most.
 */
const MODEL = 'sam2-hiera-tiny';
const MOST_CLICKS = 10;
const GOALS = [0.85, 0.9] as const;
/** COCO's bound of a small object. */
const LEAST_AREA = 32 * 32;
const SEED = 7;
/** Data beside the checkout, see CONTRIBUTING. */
const SHARED = fileURLToPath(new URL('../../shared/', import.meta.url));

const listing = z.object({
  images: z.array(z.object({ id: z.number(), file_name: z.string(), width: z.number(), height: z.number() })),
  annotations: z.array(z.object({ id: z.number(), image_id: z.number(), iscrowd: z.number() })),
});
const masks = z.array(
  z.object({ id: z.number(), size: z.tuple([z.number(), z.number()]).readonly(), counts: z.string(), area: z.number() }),
);

interface Thing {
  readonly truth: Rle;
  readonly about: EmbedRequest;
}

/** A way to answer clicks: all clicks so far, and what it remembers itself. Null: no mask. */
type Answerer = (thing: Thing, clicks: readonly Click[]) => Promise<Rle | null>;

/** What another candidate must be better by, in IoU, before the annotator steps to it. */
const WORTH_A_KEY = 0.03;

/** Lines of Markdown; says why where it cannot be measured. `count` objects, or all. */
export async function benchAnnotator(count: number): Promise<string> {
  if (count === 0) return '';
  const model = await createCatalog(modelFolders())
    .use(MODEL)
    .catch(() => null);
  const folder = join(SHARED, 'data/coco/coco-tiny');
  if (!model) return `Simulated annotator: not measured, ${MODEL} is not here (maskloop models get ${MODEL}).\n`;
  if (!existsSync(folder)) return 'Simulated annotator: not measured, ../shared/data/coco/coco-tiny is not beside this checkout.\n';
  const cache = await mkdtemp(join(tmpdir(), 'maskloop-annotator-'));
  const sessions = createSessions({ providers: 'cpu', tell: () => undefined });
  const prompting = createPrompting(sessions, createEmbeddings());
  try {
    const things = await sample(folder, cache, count);
    const clicks = { ours: [] as number[][], choosing: [] as number[][], bare: [] as number[][], oracle: [] as number[][] };
    let steps = 0;
    for (const thing of things) {
      clicks.bare.push(await annotate(thing, bareDecoder(prompting, model)));
      clicks.ours.push(await annotate(thing, promptPath(prompting, model, null)));
      clicks.choosing.push(
        await annotate(
          thing,
          promptPath(prompting, model, (taken) => (steps += taken)),
        ),
      );
      const knowing = oracle(prompting, model);
      clicks.oracle.push(await annotate(thing, ({ about, truth }, all) => knowing(about, truth, all)));
    }
    const failed = (all: readonly number[][], i: number): number => all.filter((each) => (each[i] ?? 0) > MOST_CLICKS).length;
    const line = (what: string, all: readonly number[][], i: number, note: string): string => {
      const [ours, bare] = [mean(all, i), mean(clicks.bare, i)];
      const unreached = `${failed(all, i)} against ${failed(clicks.bare, i)} not reached, counted as ${MOST_CLICKS}${note}`;
      return `| ${what} | ${ours.toFixed(2)} | ${bare.toFixed(2)} | ${(ours / bare).toFixed(2)}× | ${things.length} | ${unreached} |`;
    };
    const lines = GOALS.flatMap((goal, i) => [
      line(`clicks to IoU ${goal.toFixed(2)}`, clicks.ours, i, ''),
      line(
        `the same, choosing among the candidates`,
        clicks.choosing,
        i,
        `; ${(steps / things.length).toFixed(2)} presses of Tab an object`,
      ),
      line('an oracle that picks the best of all twelve masks of the decoder', clicks.oracle, i, ''),
    ]);
    const head =
      '| simulated annotator | prompts of the studio | bare decoder | ratio | objects | note |\n| --- | --- | --- | --- | --- | --- |';
    return `${head}\n${lines.join('\n')}\n`;
  } finally {
    await prompting.close();
    await sessions.close();
    await rm(cache, { recursive: true, force: true });
  }
}

/** Objects in an order that the seed gives, so that a smaller sample is the beginning of a larger one. */
async function sample(folder: string, cache: string, count: number): Promise<Thing[]> {
  const { images, annotations } = listing.parse(JSON.parse(await readFile(join(folder, 'annotations/instances_val2017.json'), 'utf8')));
  const truths = masks.parse(JSON.parse(await readFile(join(SHARED, 'golden/coco-tiny-val/masks.json'), 'utf8')));
  const truthOf = new Map(truths.map((truth) => [truth.id, truth]));
  const imageOf = new Map(images.map((image) => [image.id, image]));
  const random = seededRandom(SEED);
  const chosen = annotations
    .filter(({ id, iscrowd }) => iscrowd === 0 && (truthOf.get(id)?.area ?? 0) > LEAST_AREA)
    .map((annotation) => ({ annotation, order: random.next() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, count);
  const things: Thing[] = [];
  for (const { annotation } of chosen) {
    const [truth, image] = [truthOf.get(annotation.id), imageOf.get(annotation.image_id)];
    if (!truth || !image) throw new Error(`annotation ${annotation.id} has no mask or no image`);
    const path = join(folder, 'val2017', image.file_name);
    const imageSha = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    const { width, height } = image;
    const about: EmbedRequest = { modelId: MODEL, path, imageSha, width, height, cache: { path: cache, bytes: 16e9 }, priority: 'user' };
    things.push({ truth: { size: truth.size, counts: truth.counts }, about });
  }
  return things;
}

/** For each goal the clicks it took; one more than allowed where it was not reached. */
async function annotate(thing: Thing, answer: Answerer): Promise<number[]> {
  const { truth, about } = thing;
  const { width, height } = about;
  const wanted = decodeRle(truth).data;
  const taken = GOALS.map(() => MOST_CLICKS + 1);
  const clicks: Click[] = [];
  let mask: Uint8Array = new Uint8Array(width * height);
  while (clicks.length < MOST_CLICKS && taken.some((count) => count > MOST_CLICKS)) {
    const click = nextClick(wanted, mask, width, height);
    if (!click) break;
    clicks.push(click);
    const rle = await answer(thing, clicks);
    mask = rle ? decodeRle(rle).data : new Uint8Array(width * height);
    const iou = rle ? maskIou(rle, truth) : 0;
    for (const [i, goal] of GOALS.entries()) if (iou >= goal) taken[i] = Math.min(taken[i] ?? 0, clicks.length);
  }
  return taken;
}

function bareDecoder(prompting: Prompting, model: UsableModel): Answerer {
  let before: MaskGrid | null = null;
  return async ({ about }, clicks) => {
    const { embedding } = await prompting.look(model, about, wholeView(about));
    const marks = clicks.map(({ x, y, positive }) => ({ x, y, label: positive ? (1 as const) : (0 as const) }));
    const { masks: found } = await prompting.decode(model, embedding, [marks], before);
    const [best] = [...(found[0] ?? [])].sort((a, b) => b.score - a.score);
    if (!best) return null;
    before = best.grid;
    return gridMask(best.grid, about.width, about.height)?.rle ?? null;
  };
}

/** `stepped` is told how many candidates were stepped over; null: the first one is always taken. */
function promptPath(prompting: Prompting, model: UsableModel, stepped: ((candidates: number) => void) | null): Answerer {
  let refine: { readonly promptId: number; readonly candidate: number } | null = null;
  return async ({ about, truth }, clicks) => {
    const ask = { ...about, points: clicks, box: null, hover: false };
    let answer = await prompting.prompt(model, { ...ask, refine, finer: false });
    refine = { promptId: answer.promptId, candidate: 0 };
    if (answer.finer === 'possible') {
      answer = await prompting.prompt(model, { ...ask, refine, finer: true });
      refine = { promptId: answer.promptId, candidate: 0 };
    }
    if (!stepped) return answer.candidates[0]?.rle ?? null;
    const worth = answer.candidates.map(({ rle }, i) => maskIou(rle, truth) - (i > 0 ? WORTH_A_KEY : 0));
    const candidate = worth.indexOf(Math.max(...worth));
    if (candidate > 0) stepped(candidate);
    refine = { promptId: answer.promptId, candidate: Math.max(0, candidate) };
    return answer.candidates[candidate]?.rle ?? null;
  };
}

function mean(all: readonly number[][], goal: number): number {
  return all.reduce((sum, each) => sum + Math.min(MOST_CLICKS, each[goal] ?? MOST_CLICKS), 0) / all.length;
}
