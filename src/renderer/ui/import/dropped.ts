import type { Client } from '../../client.ts';

/** One thing that was dropped on the window; asked for in the handler itself, the list is empty afterwards. */
export interface Dropped {
  readonly file: File | null;
  readonly entry: FileSystemEntry | null;
}

/** A file of a dropped folder; `path` begins with the folder's own name, with `/`. */
export interface FileBelow {
  readonly file: File;
  readonly path: string;
}

const WEIGHTS = /\.(onnx|ort)$/i;
const MODEL = /\.(onnx|ort|ya?ml|txt)$/i;
const ANNOTATIONS = /\.(json|xml)$/i;
/** What may lie in a folder of annotations; images stay where they are. */
const BELOW = /\.(json|xml|ya?ml|txt|png)$/i;
/** More would be a folder dropped by mistake. */
const MOST_FILES = 200_000;
/** A key of YOLO's `data.yaml` that no description of a model has at its left margin. */
const DATA_YAML = /^(names|nc)\s*:/m;
const YAML_HEAD_BYTES = 65_536;

export function dropped(items: DataTransferItemList): readonly Dropped[] {
  return [...items].map((item) => ({ file: item.getAsFile(), entry: item.webkitGetAsEntry() }));
}

export function isFolder(entry: FileSystemEntry | null): entry is FileSystemDirectoryEntry {
  return entry?.isDirectory === true;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

/** What dropped files are. Weights decide first; a `.yaml` is looked into. */
export async function kindOf(files: readonly File[]): Promise<'model' | 'annotations' | null> {
  if (files.some(({ name }) => WEIGHTS.test(name))) return 'model';
  if (files.some(({ name }) => ANNOTATIONS.test(name))) return 'annotations';
  const yaml = files.find(({ name }) => /\.ya?ml$/i.test(name));
  if (!yaml) return null;
  return DATA_YAML.test(await yaml.slice(0, YAML_HEAD_BYTES).text()) ? 'annotations' : 'model';
}

export function modelFiles(files: readonly File[]): readonly File[] {
  return files.filter(({ name }) => MODEL.test(name));
}

/** Every file below a dropped folder that annotations may consist of. */
export async function annotationsBelow(folder: FileSystemDirectoryEntry): Promise<readonly FileBelow[]> {
  const found: FileBelow[] = [];
  const visit = async (at: FileSystemDirectoryEntry, path: string): Promise<void> => {
    for (const entry of await entriesOf(at)) {
      if (found.length >= MOST_FILES) return;
      const below = `${path}/${entry.name}`;
      if (isFolder(entry)) await visit(entry, below);
      else if (isFile(entry) && (BELOW.test(entry.name) || WEIGHTS.test(entry.name)))
        found.push({ file: await fileOf(entry), path: below });
    }
  };
  await visit(folder, folder.name);
  return found;
}

/** A reader gives at most a hundred at a time. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/**
 * Sends files where the studio can read them, and answers with the place of what was dropped: the file itself, or the
 * folder that all of them lie in.
 */
export async function sendAnnotations(
  client: Pick<Client, 'pathOf'>,
  files: readonly FileBelow[],
  onProgress: (done: number, total: number) => void,
): Promise<string> {
  const batch = crypto.randomUUID();
  const lone = files.length === 1 && !files[0]?.path.includes('/');
  const sent =
    lone || files.every(({ path }) => path.includes('/')) ? files : files.map(({ file, path }) => ({ file, path: `dropped/${path}` }));
  let place = '';
  for (const [i, { file, path }] of sent.entries()) {
    onProgress(i, sent.length);
    const lies = await client.pathOf(file, { batch, path });
    // Their folder has the first segment's name; what comes after it is as long on every system.
    place = lone ? lies : lies.slice(0, lies.length - (path.length - path.indexOf('/')));
  }
  onProgress(sent.length, sent.length);
  return place;
}
