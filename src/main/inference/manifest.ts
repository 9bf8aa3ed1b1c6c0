import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import type { ModelSource } from './fetch-source.ts';
import { classifier } from './manifests/classifier.ts';
import { instanceMaps } from './manifests/instance-maps.ts';
import { maskRcnn } from './manifests/mask-rcnn.ts';
import { contradiction } from './manifests/parts.ts';
import { salient } from './manifests/salient.ts';
import { sam } from './manifests/sam.ts';
import { semantic } from './manifests/semantic.ts';
import { yoloSeg } from './manifests/yolo-seg.ts';

export { parseGoldenAnswer } from './manifests/golden.ts';
export type { GoldenAnswer } from './manifests/golden.ts';

/**
 * What a model is: `models/<id>/manifest.json`. Nothing is guessed: every key is required unless it
 * says otherwise, an unknown key is an error, and so are two keys that contradict each other. What the
 * keys of a family mean is in `manifests/`.
 */
const schema = z
  .discriminatedUnion('family', [maskRcnn, yoloSeg, instanceMaps, semantic, salient, classifier, sam])
  .superRefine((manifest, context) => {
    const { labels } = manifest;
    const { score, keep } = manifest.thresholds;
    const given = manifest.input.fit;
    if (keep > score) contradiction(context, ['thresholds', 'keep'], `is ${keep}, above thresholds.score, ${score}`);
    if (new Set(labels).size !== labels.length) {
      const twice = labels.find((name, i) => labels.indexOf(name) !== i);
      contradiction(context, ['labels'], `has "${twice}" twice`);
    }
    if (given.mode === 'short-side' && given.longSide < given.shortSide) {
      contradiction(context, ['input', 'fit', 'longSide'], `is ${given.longSide}, below shortSide, ${given.shortSide}`);
    }
    const paths = weightFiles(manifest).map(({ path }) => path);
    if (new Set(paths).size !== paths.length) contradiction(context, ['files'], 'gives one path to two files');
  });

export type Manifest = Readonly<z.infer<typeof schema>>;
export type MaskRcnnManifest = Readonly<z.infer<typeof maskRcnn>>;
export type SemanticManifest = Readonly<z.infer<typeof semantic>>;
export type YoloSegManifest = Readonly<z.infer<typeof yoloSeg>>;
export type InstanceMapsManifest = Readonly<z.infer<typeof instanceMaps>>;
export type SalientManifest = Readonly<z.infer<typeof salient>>;
export type ClassifierManifest = Readonly<z.infer<typeof classifier>>;
export type SamManifest = Readonly<z.infer<typeof sam>>;

/** A model that answers a picture by one run of one graph; SAM answers prompts, with two. */
export type OneGraphManifest = Exclude<Manifest, { readonly family: 'sam' }>;

/** One file of weights. */
export interface WeightFile {
  /** What it is for: `encoder` and `decoder` of a SAM, `model` of every other family. */
  readonly role: string;
  /** Inside the model's folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Where it can be fetched; none where it lies beside the manifest. */
  readonly sources: readonly ModelSource[];
}

type FileSpec = Omit<WeightFile, 'role' | 'sources'>;
type Weights =
  | { readonly file: FileSpec; readonly sources: readonly ModelSource[] }
  | { readonly files: Readonly<Record<string, FileSpec & Pick<WeightFile, 'sources'>>> };

/** Every file of weights that a manifest names, in the order in which it names them. */
export function weightFiles(manifest: Weights): readonly WeightFile[] {
  if ('file' in manifest) return [{ role: 'model', ...manifest.file, sources: manifest.sources }];
  return Object.entries(manifest.files).map(([role, file]) => ({ role, ...file }));
}

/** Names of the inputs and outputs that the graph of a role must have. */
export function graphNames(manifest: Manifest, role: string): { readonly inputs: readonly string[]; readonly outputs: readonly string[] } {
  if (manifest.family !== 'sam') return { inputs: [manifest.input.name], outputs: Object.values(manifest.outputs) };
  const { encoder, decoder } = manifest;
  if (role === 'encoder') return { inputs: [manifest.input.name], outputs: present(encoder.outputs) };
  return { inputs: present(decoder.inputs), outputs: present(decoder.outputs) };
}

function present(names: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.values(names).filter((name) => name !== undefined);
}

/**
 * A manifest from the text of its file.
 * @throws AppError `invalid` naming the file and each wrong key.
 */
export function parseManifest(text: string, path: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    throw new AppError('invalid', `${path}: is not JSON (${said}).`, { path }, thrown);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const keys = parsed.error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const at = issue.path.join('.');
      return issue.keys.map((key) => `${at ? `${at}.` : ''}${key}: unknown key`).join('; ');
    }
    return `${issue.path.join('.') || 'the manifest'}: ${issue.message}`;
  });
  throw new AppError('invalid', `${path}: ${keys.join('; ')}.`, { path, key: parsed.error.issues[0]?.path.join('.') ?? '' });
}
