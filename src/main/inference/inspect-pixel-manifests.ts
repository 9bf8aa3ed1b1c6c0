import type { Draft, Hints } from './inspect-asks.ts';
import { askLabels, askScore } from './inspect-asks.ts';
import type { Guess } from './inspect-families.ts';
import type { Form } from './inspect-form.ts';
import { askColours, askFit, sidesOf } from './inspect-input.ts';

/** The keys that a family's manifest has beyond those of every family: models that answer a map, or tags. */

export function draftSemantic(form: Form, guess: Extract<Guess, { family: 'semantic' | 'salient' }>, hints: Hints): Draft {
  const made = guess.file.header?.madeBy[guess.output.name] ?? '';
  const single = guess.channels === 1;
  const variants = guess.channels === 0 ? ['argmax'] : single ? ['sigmoid', 'sigmoid-logits', 'argmax'] : ['logits', 'probabilities'];
  const read: Readonly<Record<string, string>> = { Softmax: 'probabilities', Sigmoid: 'sigmoid', ArgMax: 'argmax' };
  const seen = variants.find((variant) => variant === read[made]);
  const names: Readonly<Record<string, string>> = {
    logits: 'Logits: any numbers, the largest wins',
    probabilities: 'Probabilities of the classes',
    argmax: 'The number of the class',
    sigmoid: 'Probability of the foreground',
    'sigmoid-logits': 'Logit of the foreground',
  };
  const variant = form.ask({
    key: 'variant',
    label: 'What its map holds',
    kind: 'choice',
    options: variants.map((value) => ({ value, label: names[value] ?? value })),
    proposed: seen ?? variants[single ? 1 : 0] ?? null,
    certainty: seen === undefined ? 'usual' : 'read',
    why: seen === undefined ? 'The graph does not end with a softmax or a sigmoid.' : `The graph ends with ${made}.`,
  });
  const colours = askColours(form, null);
  const fit = askFit(form, sidesOf(guess.input, guess.layout));
  const count = guess.channels === 0 || variant === 'argmax' ? null : guess.channels;
  const labels = askLabels(form, guess.file, hints, count, 'In the order of its channels; the background is one of them where it has one.');
  let background: string | null = '';
  if (labels && labels.length > 1) {
    const found = labels.find((name) => /^_*(background|bg|unlabell?ed|void|other)_*$/i.test(name));
    background = form.ask({
      key: 'background',
      label: 'Which class is no object?',
      kind: 'choice',
      options: [{ value: '(none)', label: 'None of them' }, ...labels.map((name) => ({ value: name, label: name }))],
      proposed: found ?? null,
      certainty: 'usual',
      why: found === undefined ? 'Its pixels are not suggested.' : 'By its name.',
    });
  }
  const alignCorners = form.ask({
    key: 'alignCorners',
    label: 'A coarse map is enlarged',
    kind: 'choice',
    options: [
      { value: 'no', label: 'as PyTorch does' },
      { value: 'yes', label: 'corners on corners (TensorFlow 1)' },
    ],
    proposed: 'no',
    certainty: 'usual',
    why: 'Moves borders by part of a cell.',
  });
  const regions = form.ask({
    key: 'regions',
    label: 'Suggestions',
    kind: 'choice',
    options: [
      { value: 'components', label: 'One for each connected region' },
      { value: 'class', label: 'One for each class' },
    ],
    proposed: 'components',
    certainty: 'usual',
    why: 'Can be chosen again for each prediction.',
  });
  const score = askScore(form, 0.5, hints.score);
  if (variant === null || !colours || !fit || !labels || background === null || !alignCorners || !regions || score === null) return null;
  return {
    family: 'semantic',
    variant,
    input: { name: guess.input.name, ...colours, layout: guess.layout, fit },
    outputs: { map: guess.output.name },
    map: { layout: guess.outputLayout, alignCorners: alignCorners === 'yes' },
    labels,
    background: background === '' || background === '(none)' ? [] : [background],
    regions: { mode: regions, minArea: 64 },
    thresholds: { score, keep: Math.min(0.05, score), ...(variant.startsWith('sigmoid') ? { mask: 0.5 } : {}) },
  };
}

/** The rest of a salient model: what its one channel holds, and what is made of it. */
export function draftSalient(form: Form, guess: Extract<Guess, { family: 'semantic' | 'salient' }>, hints: Hints): Draft {
  const made = guess.file.header?.madeBy[guess.output.name] ?? '';
  const variant = form.ask({
    key: 'salientVariant',
    label: 'What its map holds',
    kind: 'choice',
    options: [
      { value: 'probabilities', label: 'Probabilities, or alpha' },
      { value: 'logits', label: 'Logits' },
    ],
    proposed: made === 'Sigmoid' || made === 'Clip' ? 'probabilities' : 'logits',
    certainty: made === 'Sigmoid' ? 'read' : 'usual',
    why: made === '' ? 'Its name does not tell.' : `The graph ends with ${made}.`,
  });
  const colours = askColours(form, null);
  const fit = askFit(form, sidesOf(guess.input, 'nchw'), ['stretch', 'letterbox-start', 'letterbox-center']);
  const label = form.ask({
    key: 'salientLabel',
    label: 'What its suggestions are called',
    kind: 'text',
    proposed: hints.labels?.[0] ?? 'foreground',
    certainty: 'usual',
    why: 'It knows one class only.',
  });
  const score = askScore(form, 0.6, hints.score);
  if (variant === null || !colours || !fit || label === null || score === null) return null;
  return {
    family: 'salient',
    variant,
    input: { name: guess.input.name, ...colours, fit },
    outputs: { alpha: guess.output.name },
    labels: [label],
    regions: { mode: 'components', minArea: 64 },
    thresholds: { score, keep: Math.min(0.3, score), mask: 0.5 },
  };
}

export function draftClassifier(form: Form, guess: Extract<Guess, { family: 'classifier' }>, hints: Hints): Draft {
  const made = guess.file.header?.madeBy[guess.output.name] ?? '';
  const read: Readonly<Record<string, string>> = { Softmax: 'probabilities', Sigmoid: 'sigmoid' };
  const seen = read[made];
  const variant = form.ask({
    key: 'classifierVariant',
    label: 'What its numbers are',
    kind: 'choice',
    options: [
      { value: 'logits', label: 'Logits: one class for a picture' },
      { value: 'probabilities', label: 'Probabilities: one class for a picture' },
      { value: 'sigmoid-logits', label: 'Logits: any number of classes' },
      { value: 'sigmoid', label: 'Probabilities: any number of classes' },
    ],
    proposed: seen ?? null,
    certainty: 'read',
    why:
      seen === undefined ? 'Logits mostly; but whether a picture has one class or several, no file says.' : `The graph ends with ${made}.`,
  });
  const colours = askColours(form, null);
  const sides = sidesOf(guess.input, guess.layout) ?? { width: 224, height: 224 };
  const fit = form.ask({
    key: 'classifierFit',
    label: 'How a picture gets its size',
    kind: 'choice',
    options: [
      { value: 'crop', label: 'Shorter side scaled, the middle cut out' },
      { value: 'stretch', label: `Stretched to ${sides.width} × ${sides.height}` },
    ],
    proposed: 'crop',
    certainty: 'usual',
    why: 'As torchvision evaluates: scaled by 8/7, then cut.',
  });
  const labels = askLabels(form, guess.file, hints, guess.classes, 'In the order of its training.');
  const score = askScore(form, 0.5, hints.score);
  if (variant === null || !colours || !fit || !labels || score === null) return null;
  const shortSide = Math.round((Math.max(sides.width, sides.height) * 8) / 7);
  return {
    family: 'classifier',
    variant,
    input: {
      name: guess.input.name,
      ...colours,
      layout: guess.layout,
      fit: fit === 'crop' ? { mode: 'center-crop', shortSide, ...sides } : { mode: 'stretch', ...sides },
    },
    outputs: { scores: guess.output.name },
    labels,
    background: [],
    most: 10,
    thresholds: { score, keep: Math.min(0.05, score) },
  };
}
