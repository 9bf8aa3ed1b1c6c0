/** What the calls about models answer with: fetching weights, and adding a model of one's own. */

/** How far the fetching of a model's weights is. The last one told is `done`, `failed` or `cancelled`. */
export interface ModelFetch {
  readonly modelId: string;
  readonly state: 'fetching' | 'done' | 'failed' | 'cancelled';
  /** Bytes; `total` is null where nobody knows it. */
  readonly received: number;
  readonly total: number | null;
  /** The source in use, for people; null before the first answered. */
  readonly from: string | null;
  /** Estimated; null while unknown. */
  readonly msLeft: number | null;
  /** Why it failed, or what is being waited for. */
  readonly message: string | null;
}

/** A tensor of a graph's signature. A dimension without a fixed size has its name, or '?'. */
export interface TensorInfo {
  readonly name: string;
  /** As ONNX Runtime names it: `float32`, `int64`, `uint8`. */
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** One file of a model that is being added, as it was read. */
export interface DraftFile {
  readonly name: string;
  /** `model`, or `encoder` and `decoder` of a pair. */
  readonly role: string;
  readonly bytes: number;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** What made it, e.g. `pytorch 2.4.0`; null where it does not say. */
  readonly producer: string | null;
  readonly opset: number | null;
  /** Its own remarks (`metadata_props`), long ones cut. */
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
}

/**
 * One thing that a manifest says. `read`: it stands in the file. `usual`: it follows from the file's
 * signature, as such models are usually exported. `asked`: the file cannot say it; the user has to.
 */
export interface DraftField {
  readonly key: string;
  readonly label: string;
  readonly kind: 'text' | 'lines' | 'number' | 'choice';
  readonly options: readonly { readonly value: string; readonly label: string }[];
  /** The user's answer, else what is proposed; null: an answer is needed. */
  readonly value: string | null;
  readonly certainty: 'read' | 'usual' | 'asked' | 'answered';
  /** What it means, or where it was read. */
  readonly why: string;
}

/** A model on its way in: what was read, what is proposed, what has to be answered first. */
export interface ModelDraft {
  readonly draftId: string;
  readonly files: readonly DraftFile[];
  readonly fields: readonly DraftField[];
  /** Keys of fields that need an answer, or another one. */
  readonly missing: readonly string[];
  /** Why it cannot become a model as it is; null where it can, once nothing is missing. */
  readonly problem: string | null;
  /** What an imported configuration says that has no meaning here. */
  readonly notes: readonly string[];
  /** The manifest as it would be written; null while something is missing. */
  readonly manifest: string | null;
}

/** What a model did with one image, looked at with suspicion. */
export interface DoctorReport {
  readonly modelId: string;
  readonly image: string;
  readonly width: number;
  readonly height: number;
  readonly provider: string;
  readonly loadMs: number;
  /** Of a second run: the first one of a session also plans its memory. */
  readonly runMs: number;
  readonly totalMs: number;
  readonly instances: number;
  /** Of them, at or above the threshold from which they are shown at first. */
  readonly shown: number;
  readonly classes: readonly { readonly label: string; readonly count: number; readonly best: number }[];
  /** Of a classifier: what it says of the image as a whole, best first. */
  readonly tags: readonly { readonly label: string; readonly score: number }[];
  readonly outputs: readonly TensorSummary[];
  /** What looks wrong, worst first; empty is good. */
  readonly signs: readonly { readonly severity: 'wrong' | 'odd'; readonly text: string }[];
  /** The image with what was found drawn over it, at most 960 px a side: a `data:` address. */
  readonly overlay: string;
}

/** What lies in an output after a run. */
export interface TensorSummary {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly number[];
  /** Of the finite numbers; null where there is none. */
  readonly min: number | null;
  readonly max: number | null;
  /** Numbers that are NaN or infinite. */
  readonly notFinite: number;
}
