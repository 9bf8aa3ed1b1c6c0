import { parentPort, workerData } from 'node:worker_threads';
import { AppError, toWireError } from '../../shared/errors.ts';
import type { ThreadAnswer, ThreadAsk, ThreadMethod, ThreadQuestions } from './messages.ts';
import { SLOTS } from './messages.ts';
import { openCv } from './opencv.ts';
import { createScissors } from './path.ts';
import type { Picture } from './picture.ts';
import { createPicture } from './picture.ts';
import { createSegmenter } from './segment.ts';

/** The classical methods in a thread of their own: one question after the other, given up between their steps. */

const flags = workerData as Int32Array;
const pictures = new Map<string, Picture>();

async function tools(): Promise<{ segmenter: ReturnType<typeof createSegmenter>; scissors: ReturnType<typeof createScissors> }> {
  const [cv] = await openCv();
  return { segmenter: createSegmenter(cv), scissors: createScissors(cv) };
}
/** Begins at once: it takes about a second, as does decoding the first image. */
const ready = tools();

function picture(key: string): Picture {
  const found = pictures.get(key);
  if (!found) throw new AppError('internal', `The thread has no image ${key}.`, { key });
  return found;
}

async function answer(asked: ThreadAsk): Promise<ThreadQuestions[ThreadMethod]['answer']> {
  const pause = (): void => {
    if (Atomics.load(flags, asked.id % SLOTS) === asked.id) throw new AppError('cancelled', 'The question was given up.');
  };
  switch (asked.method) {
    case 'open': {
      const { key, width, height, fine } = asked.ask;
      pictures.set(key, createPicture(fine, width, height));
      return { width: fine.width, height: fine.height };
    }
    case 'drop':
      pictures.delete(asked.ask.key);
      return null;
    case 'segment': {
      pause();
      const { segmenter } = await ready;
      const { key, question, draft } = asked.ask;
      return segmenter.segment(picture(key), question, draft, pause);
    }
    case 'path': {
      pause();
      const { scissors } = await ready;
      const { key, from, to, snap } = asked.ask;
      return scissors(picture(key), from, to, snap, pause);
    }
  }
}

/** OpenCV's C++ exceptions arrive as numbers. */
function explained(thrown: unknown): unknown {
  if (typeof thrown !== 'number') return thrown;
  return new AppError('internal', 'OpenCV could not do this with this image. Try other parameters.', { exception: thrown });
}

let turn: Promise<void> = Promise.resolve();
parentPort?.on('message', (asked: ThreadAsk) => {
  turn = turn.then(async () => {
    let told: ThreadAnswer;
    try {
      told = { id: asked.id, ok: true, answer: await answer(asked) };
    } catch (thrown) {
      told = { id: asked.id, ok: false, error: toWireError(explained(thrown)) };
    }
    parentPort?.postMessage(told);
  });
});
