import { basename, dirname } from 'node:path';
import type { ModelDraft } from '../../shared/answers/models.ts';
import { toWireError } from '../../shared/errors.ts';
import type { ModelSource } from './fetch-source.ts';
import type { Draft, Hints } from './inspect-asks.ts';
import type { Guess, InspectedFile } from './inspect-families.ts';
import { guessFamilies } from './inspect-families.ts';
import type { Form } from './inspect-form.ts';
import { createForm } from './inspect-form.ts';
import { draftInstanceMaps, draftMaskRcnn, draftSam, draftYolo } from './inspect-manifests.ts';
import { draftClassifier, draftSalient, draftSemantic } from './inspect-pixel-manifests.ts';
import { parseManifest } from './manifest.ts';

/** Everything that is known of a model before it is one. */
export interface Subject {
  readonly files: readonly InspectedFile[];
  readonly hints: Hints & { readonly name?: string | undefined; readonly from?: string | undefined };
  /** Where each file came from, where it was downloaded. */
  readonly sources: Readonly<Record<string, ModelSource>>;
  /** What its configuration says that has no meaning here. */
  readonly notes: readonly string[];
  /** A manifest that came along says all but the id; null where there is none. */
  readonly given?: {
    readonly manifest: Readonly<Record<string, unknown>> & { readonly id: string };
    readonly places: Readonly<Record<string, string>>;
  } | null;
  /** Ids that are taken. */
  readonly taken: readonly string[];
}

export type Proposal = Omit<ModelDraft, 'draftId'> & {
  /** File name in the model's folder to the file's place now. */
  readonly places: Readonly<Record<string, string>>;
};

const FAMILY_NAMES: Readonly<Record<Guess['family'], string>> = {
  'mask-rcnn': 'Mask R-CNN: instances',
  'yolo-seg': 'YOLO: instances',
  'instance-maps': 'RTMDet-Ins, RF-DETR: instances',
  semantic: 'Semantic: regions of a class',
  salient: 'Salient object: the foreground, softly',
  classifier: 'Classifier: tags of the image',
  sam: 'SAM: clicks and boxes',
};

const DRAFTS: { readonly [F in Guess['family']]: (form: Form, guess: Extract<Guess, { family: F }>, hints: Hints) => Draft } = {
  'mask-rcnn': draftMaskRcnn,
  'yolo-seg': draftYolo,
  'instance-maps': draftInstanceMaps,
  semantic: draftSemantic,
  salient: draftSalient,
  classifier: draftClassifier,
  sam: draftSam,
};

function isOf<F extends Guess['family']>(family: F, guess: Guess): guess is Extract<Guess, { family: F }> {
  return guess.family === family;
}

function draftOf<F extends Guess['family']>(family: F, form: Form, guess: Guess, hints: Hints): Draft {
  return isOf(family, guess) ? DRAFTS[family](form, guess, hints) : null;
}

/**
 * What a manifest for these files would say, with the user's answers in it. Nothing is guessed silently:
 * each key says whether it was read, is usual, or has to be answered. Pure.
 */
export function propose(subject: Subject, answers: Readonly<Record<string, string>>): Proposal {
  if (subject.given) return proposeGiven(subject, subject.given, answers);
  const { guesses, problem } = guessFamilies(subject.files);
  const form = createForm(answers);
  const files = subject.files.map((file) => described(file, guesses[0]));
  const places = Object.fromEntries(subject.files.map((file) => [fileName(file.name), file.path]));
  const blank = { files, places, notes: subject.notes, fields: form.fields, missing: form.missing, manifest: null };
  if (guesses.length === 0) return { ...blank, problem: problem ?? 'No family here takes this model.' };

  const family = form.ask({
    key: 'family',
    label: 'Kind of model',
    kind: 'choice',
    options: guesses.map((guess) => ({ value: guess.family, label: FAMILY_NAMES[guess.family] })),
    proposed: guesses.length === 1 ? (guesses[0]?.family ?? null) : null,
    certainty: 'read',
    why: guesses.length === 1 ? 'By its inputs and outputs.' : 'Its inputs and outputs fit more than one: what was it trained for?',
  });
  const common = askCommon(form, subject);
  const guess = guesses.find((candidate) => candidate.family === family);
  if (!guess) return { ...blank, problem: null };
  const draft = draftOf(guess.family, form, guess, subject.hints);
  if (!common || !draft || form.missing.length > 0) return { ...blank, problem: null };
  const manifest = JSON.stringify({ format: 1, ...common, ...draft, ...weights(guess, subject.sources), goldens: [] }, null, 2);
  try {
    parseManifest(manifest, 'The manifest');
  } catch (thrown) {
    return { ...blank, problem: toWireError(thrown).message };
  }
  return { ...blank, problem: null, manifest };
}

function askCommon(form: Form, { files, hints, taken }: Subject): Readonly<Record<string, string>> | null {
  const file = files.find(({ name }) => /encoder/i.test(name)) ?? files[0];
  if (!file) return null;
  const plain = file.name.replace(/\.(onnx|ort)$/i, '').replace(/[._-]?(encoder|preprocess|quant)\b/gi, '');
  // `model.onnx` is called by its folder.
  const stem = hints.name ?? (/^(model|best|last|weights)?$/i.test(plain) ? basename(dirname(file.path)) : plain);
  const meta = (key: string): string | null => file.header?.metadata.find((pair) => pair.key === key)?.value ?? null;
  const id = askId(form, slug(stem), taken);
  const name = form.ask({
    key: 'name',
    label: 'Name',
    kind: 'text',
    proposed: stem.trim() || 'Model',
    certainty: 'usual',
    why: 'As the window shows it.',
  });
  const version = form.ask({
    key: 'version',
    label: 'Version of the weights',
    kind: 'text',
    proposed: '1',
    certainty: 'usual',
    why: 'Recorded with every suggestion.',
    check: (value) => (value.length > 40 ? 'At most 40 characters.' : null),
  });
  const named = /\bA?GPL-3\.0\b/.exec(meta('license') ?? '')?.[0];
  const stored = named === undefined ? null : `${named}-only`;
  const license = form.ask({
    key: 'license',
    label: 'Licence of the weights',
    kind: 'choice',
    options: LICENCES,
    proposed: stored,
    certainty: 'read',
    why: stored === null ? 'No file here says it. Its publisher does.' : 'From “license” in the file.',
  });
  const source = form.ask({
    key: 'source',
    label: 'Where it comes from',
    kind: 'text',
    proposed: hints.from ?? meta('description') ?? `Added from ${basename(file.path)}`,
    certainty: meta('description') === null ? 'usual' : 'read',
    why: 'For people; who looks at it in a year.',
  });
  return id === null || name === null || version === null || license === null || source === null
    ? null
    : { id, name, version, license, source };
}

/** What came with a manifest is not asked about again, but for the id: that may be taken. */
function proposeGiven(subject: Subject, given: NonNullable<Subject['given']>, answers: Readonly<Record<string, string>>): Proposal {
  const form = createForm(answers);
  const id = askId(form, given.manifest.id, subject.taken);
  const [guess] = guessFamilies(subject.files).guesses;
  const manifest = id === null ? null : JSON.stringify({ ...given.manifest, id }, null, 2);
  return {
    files: subject.files.map((file) => described(file, guess)),
    places: given.places,
    notes: [...subject.notes, 'Its manifest.json says the rest: it is taken as it is.'],
    fields: form.fields,
    missing: form.missing,
    problem: null,
    manifest,
  };
}

function askId(form: Form, wanted: string, taken: readonly string[]): string | null {
  return form.ask({
    key: 'id',
    label: 'Id',
    kind: 'text',
    proposed: freeId(wanted, taken),
    certainty: 'usual',
    why: 'Its folder’s name, and what the command line calls it.',
    check: (value) =>
      !/^[a-z0-9][a-z0-9-]{0,62}$/.test(value)
        ? 'Lower case letters, digits and hyphens, at most 63.'
        : taken.includes(value)
          ? `There is a model “${value}” already.`
          : null,
  });
}

const LICENCES = [
  { value: 'LicenseRef-own', label: 'My own weights' },
  { value: 'Apache-2.0', label: 'Apache-2.0' },
  { value: 'MIT', label: 'MIT' },
  { value: 'BSD-3-Clause', label: 'BSD-3-Clause' },
  { value: 'GPL-3.0-only', label: 'GPL-3.0-only' },
  { value: 'AGPL-3.0-only', label: 'AGPL-3.0-only' },
  { value: 'CC-BY-4.0', label: 'CC-BY-4.0' },
  { value: 'CC-BY-NC-4.0', label: 'CC-BY-NC-4.0' },
  { value: 'LicenseRef-unknown', label: 'Another one, or I do not know' },
];

function weights(guess: Guess, sources: Subject['sources']): Readonly<Record<string, unknown>> {
  const spec = (file: InspectedFile): Readonly<Record<string, unknown>> => ({
    path: fileName(file.name),
    bytes: file.bytes,
    sha256: file.sha256,
  });
  const of = (file: InspectedFile): readonly ModelSource[] => {
    const source = sources[file.path];
    return source === undefined ? [] : [source];
  };
  if (guess.family !== 'sam') return { file: spec(guess.file), sources: of(guess.file) };
  const { encoder, decoder } = guess;
  return { files: { encoder: { ...spec(encoder), sources: of(encoder) }, decoder: { ...spec(decoder), sources: of(decoder) } } };
}

/** Metadata is cut there: Ultralytics stores all its class names. */
const LONGEST_VALUE = 400;

function described(file: InspectedFile, guess: Guess | undefined): ModelDraft['files'][number] {
  const role = guess?.family === 'sam' ? (guess.encoder === file ? 'encoder' : 'decoder') : 'model';
  const { name, bytes, inputs, outputs, header } = file;
  const metadata = (header?.metadata ?? []).map(({ key, value }) => ({
    key,
    value: value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}…` : value,
  }));
  return { name, role, bytes, inputs, outputs, producer: header?.producer ?? null, opset: header?.opset ?? null, metadata };
}

/** A name that a manifest takes for a file. */
function fileName(name: string): string {
  return name.replace(/[^\p{L}\p{N}._ -]/gu, '_').replace(/^\.+/, '_');
}

function slug(text: string): string {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return plain.slice(0, 50) || 'model';
}

function freeId(wanted: string, taken: readonly string[]): string {
  for (let n = 1; ; n++) {
    const id = n === 1 ? wanted : `${wanted}-${n}`;
    if (!taken.includes(id)) return id;
  }
}
