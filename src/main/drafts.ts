import { randomBytes } from 'node:crypto';
import { copyFile, link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { DoctorReport, ModelDraft } from '../shared/answers/models.ts';
import { AppError } from '../shared/errors.ts';
import { reportOf } from './draft-overlay.ts';
import type { Gathered, Remote } from './draft-files.ts';
import { givenManifest } from './draft-manifest.ts';
import { downloadRemote, gather } from './draft-files.ts';
import type { Transfer } from './inference/fetch-url.ts';
import type { Inference } from './inference/inference.ts';
import type { Proposal, Subject } from './inference/inspect.ts';
import { propose } from './inference/inspect.ts';
import { parseManifest } from './inference/manifest.ts';

/** Models on their way in: read, asked about, tried out, and then kept or forgotten. */
export interface Drafts {
  /** @throws AppError `not-found`, `invalid`, `unsupported`, `model-load`, each naming the file. */
  inspect(paths: readonly string[]): Promise<ModelDraft>;
  /** With the user's answers; downloads what a configuration only gives the address of, once that was agreed to. */
  propose(draftId: string, answers: Answers): Promise<ModelDraft>;
  /** Runs it on an image. @throws AppError `invalid` while answers are missing, and as `predict`. */
  examine(draftId: string, answers: Answers, image: string): Promise<DoctorReport>;
  /** Makes it a model of the user's; answers with its id. */
  keep(draftId: string, answers: Answers): Promise<string>;
  discard(draftId: string): Promise<void>;
  /** Forgets all. */
  close(): Promise<void>;
}

type Answers = Readonly<Record<string, string>>;

export interface DraftsOptions {
  readonly inference: Pick<Inference, 'signature' | 'examine'>;
  /** Takes folders of drafts; nothing in it outlives this process. */
  readonly folder: string;
  /** The user's models. */
  readonly modelFolder: string;
  readonly takenIds: () => Promise<readonly string[]>;
  readonly onDownload?: (draftId: string, transfer: Transfer & { readonly from: string }) => void;
}

interface Kept {
  readonly folder: string;
  readonly paths: readonly string[];
  /** Null while its files still have to be downloaded. */
  subject: Subject | null;
  remote: Remote | null;
}

export function createDrafts(options: DraftsOptions): Drafts {
  const drafts = new Map<string, Kept>();
  const { inference, modelFolder } = options;

  function draftOf(draftId: string): Kept {
    const draft = drafts.get(draftId);
    if (draft) return draft;
    throw new AppError('not-found', 'This model was put away, or Maskloop was started anew. Add its file again.', { id: draftId });
  }

  async function subjectOf(gathered: Gathered): Promise<Subject> {
    return { ...gathered, taken: await options.takenIds() };
  }

  /** The proposal, or why there cannot be one yet. */
  function ready(draft: Kept, answers: Answers): Proposal & { readonly manifest: string } {
    const proposal = draft.subject === null ? null : propose(draft.subject, answers);
    const { manifest } = proposal ?? {};
    if (proposal && manifest) return { ...proposal, manifest };
    const open = proposal?.fields.filter((field) => proposal.missing.includes(field.key)).map((field) => field.label);
    throw new AppError('invalid', proposal?.problem ?? `It still has to be said: ${open?.join(', ') ?? 'whether to download it'}.`);
  }

  /** Its folder, with manifest and weights, as if it were a model. */
  async function build(draft: Kept, answers: Answers, into: string, place: (from: string, to: string) => Promise<void>): Promise<string> {
    const { manifest, places } = ready(draft, answers);
    const { id } = parseManifest(manifest, 'The manifest');
    const folder = join(into, id);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    for (const [name, from] of Object.entries(places)) await place(from, join(folder, name));
    await writeFile(join(folder, 'manifest.json'), `${manifest}\n`);
    return folder;
  }

  /** What a browser uploaded lies below the drafts' folder; the user's own files do not. */
  async function forgetUploads(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const inside = relative(options.folder, path);
      if (/^upload-[0-9a-f]+[\\/]/.test(inside)) await rm(dirname(path), { recursive: true, force: true });
    }
  }

  async function discard(draftId: string): Promise<void> {
    const draft = drafts.get(draftId);
    drafts.delete(draftId);
    if (!draft) return;
    await rm(draft.folder, { recursive: true, force: true });
    await forgetUploads(draft.paths);
  }

  async function proposeNow(draftId: string, answers: Answers): Promise<ModelDraft> {
    const draft = draftOf(draftId);
    if (draft.subject === null && draft.remote && answers['download'] === 'yes') {
      const came = await downloadRemote(draft.remote, draft.folder, (transfer) => options.onDownload?.(draftId, transfer));
      const gathered = await gather(came.paths, inference, { ...draft.remote, sources: came.sources });
      if ('urls' in gathered) throw new AppError('internal', 'What was downloaded names other files again.');
      draft.subject = await subjectOf(gathered);
      draft.remote = null;
    }
    if (draft.subject) {
      draft.subject = { ...draft.subject, taken: await options.takenIds() };
      const { places: _places, ...proposal } = propose(draft.subject, answers);
      return { draftId, ...proposal };
    }
    return remoteDraft(draftId, draft.remote);
  }

  return {
    async inspect(paths) {
      await sweep(options.folder);
      const draftId = randomBytes(8).toString('hex');
      const draft: Kept = { folder: join(options.folder, draftId), paths, subject: null, remote: null };
      const gathered = await gather(paths, inference).catch(async (thrown: unknown) => {
        await forgetUploads(paths);
        throw thrown;
      });
      if ('urls' in gathered) draft.remote = gathered;
      else
        draft.subject = {
          ...(await subjectOf(gathered)),
          given: gathered.hints.from === undefined ? await givenManifest(gathered.files) : null,
        };
      drafts.set(draftId, draft);
      return proposeNow(draftId, {});
    },
    propose: proposeNow,
    async examine(draftId, answers, image) {
      const folder = await build(draftOf(draftId), answers, draftOf(draftId).folder, linkOrCopy);
      const manifest = parseManifest(await readFile(join(folder, 'manifest.json'), 'utf8'), folder);
      const seen = await inference.examine({ modelId: manifest.id, folders: [dirname(folder)], path: image });
      return reportOf(image, manifest, seen);
    },
    async keep(draftId, answers) {
      const draft = draftOf(draftId);
      // Under a name that no catalog looks at until all of it is there.
      const made = join(modelFolder, `.adding-${draftId}`);
      try {
        const folder = await build(draft, answers, made, copy);
        const { id } = parseManifest(await readFile(join(folder, 'manifest.json'), 'utf8'), folder);
        await rename(folder, join(modelFolder, id));
        await discard(draftId);
        return id;
      } finally {
        await rm(made, { recursive: true, force: true });
      }
    },
    discard,
    async close() {
      for (const draftId of drafts.keys()) await discard(draftId);
      // Where the app's folder could never be written there is nothing to take away, and closing must go on.
      await rm(options.folder, { recursive: true, force: true }).catch(() => undefined);
    },
  };
}

/** Takes away what processes that ended long ago left beside this one's folder, which is called by its process. */
async function sweep(folder: string): Promise<void> {
  const beside = await readdir(dirname(folder)).catch(() => []);
  for (const name of beside) {
    const ended = /^\d+$/.test(name) && name !== basename(folder) && !isRunning(Number(name));
    if (ended) await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

/** What is asked before anything is downloaded that nobody published a hash of. */
function remoteDraft(draftId: string, remote: Remote | null): ModelDraft {
  const urls = remote?.urls.map(({ url }) => url) ?? [];
  const field = {
    key: 'download',
    label: 'Its weights have to be downloaded',
    kind: 'choice' as const,
    options: [{ value: 'yes', label: `Download without a hash to compare with` }],
    value: null,
    certainty: 'asked' as const,
    why: `${urls.join(' and ')}: the configuration names no hash, so nobody can tell whether it is the file its publisher meant. What comes is hashed, and that hash is kept.`,
  };
  return { draftId, files: [], fields: [field], missing: ['download'], problem: null, notes: remote?.notes ?? [], manifest: null };
}

/** For a trial the file is not copied where the disk can do without. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copy(from, to));
}

/** A copy of its own: what the user does with the file later is no change of the model. */
async function copy(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  } catch (thrown) {
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    throw new AppError('io', `${from} could not be copied to ${to}: ${said}`, { path: from }, thrown);
  }
}
