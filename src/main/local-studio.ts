import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostKind } from '../shared/answers.ts';
import type { ProviderChoice } from '../shared/answers/providers.ts';
import { appFolder } from './app-folder.ts';
import { withClassical } from './classical/models.ts';
import type { Desktop } from './desktop-handlers.ts';
import { withAhead } from './inference/ahead.ts';
import type { ChildChannel } from './inference/channel.ts';
import { forkChannel } from './inference/channel.ts';
import { gpuEnvironment } from './inference/gpu-place.ts';
import type { Inference } from './inference/inference.ts';
import { decoderName } from './inference/pixels.ts';
import { createRemoteInference } from './inference/remote.ts';
import { gpuFolderOf, providerRecord, recordFolderOf } from './provider-handlers.ts';
import type { Studio } from './studio.ts';
import { createStudio } from './studio.ts';
import { createSettings } from './settings.ts';
import { appVersion, packageFolder } from './version.ts';

/** Where the user's own models lie, and the weights that were fetched. */
export function userModelFolder(): string {
  return join(appFolder(), 'models');
}

/**
 * Folders that models are looked for in: those that come with the app, manifests of those that can be
 * fetched, then the user's own. In a packaged app ours lie beside the archive: ONNX Runtime opens them
 * by their path.
 */
export function modelFolders(): string[] {
  const bundled = fileURLToPath(new URL('models', packageFolder));
  const unpacked = bundled.replace(/([\\/]app\.asar)([\\/])/, '$1.unpacked$2');
  const ours = existsSync(unpacked) ? unpacked : bundled;
  return [ours, join(ours, 'catalog'), userModelFolder()];
}

/**
 * The engine in this process, where ONNX Runtime is loaded only now; in a child where libraries for NVIDIA
 * GPUs are installed, since the loader finds them only when a process starts with their place.
 */
export async function localInference(): Promise<Inference> {
  if (gpuEnvironment(gpuFolderOf(appFolder())) !== null) return remoteInference(forkedEngine);
  const { createEngine } = await import('./inference/engine.ts');
  return createEngine({ ...providerOptions(), record: providerRecord(appFolder()) });
}

/** The engine in a process of its own, started again when it ends. */
function remoteInference(spawn: (env: NodeJS.ProcessEnv) => ChildChannel): Inference {
  const { refuse } = providerRecord(appFolder());
  const record = { folder: recordFolderOf(appFolder()), refuse };
  // Asked at each start: libraries may have been installed meanwhile.
  return createRemoteInference({
    ...providerOptions(),
    record,
    spawn: () => spawn(gpuEnvironment(gpuFolderOf(appFolder())) ?? process.env),
  });
}

function providerOptions(): { modelFolders: string[]; providers: string | undefined; choice: ProviderChoice } {
  const { providers, threads } = createSettings(appFolder()).get();
  return { modelFolders: modelFolders(), providers: process.env['MASKLOOP_PROVIDERS'], choice: { providers, threads } };
}

/** For a window: what is made ahead has a process of its own, so that no click waits for it. */
function windowInference(spawn: (env: NodeJS.ProcessEnv) => ChildChannel): Inference {
  return withAhead(remoteInference(spawn), () => remoteInference(spawn));
}

/** In a child of plain Node; run from its source, or from the build of an installed package. */
function forkedEngine(env: NodeJS.ProcessEnv): ChildChannel {
  const source = import.meta.url.endsWith('.ts');
  return forkChannel(fileURLToPath(new URL(source ? 'src/main/inference/child.ts' : 'dist/main/child.js', packageFolder)), env);
}

/** The system's own dialogs; null where a host has none. */
interface Dialogs {
  readonly pickFolder: (() => Promise<string | null>) | null;
  readonly pickFiles: (() => Promise<readonly string[] | null>) | null;
  readonly desktop: Desktop | null;
}
const NO_DIALOGS: Dialogs = { pickFolder: null, pickFiles: null, desktop: null };

function hostStudio(host: HostKind, inference: Inference, { pickFolder, pickFiles, desktop }: Dialogs): Studio {
  return createStudio({
    inference: withClassical(inference),
    appFolder: appFolder(),
    modelFolders: modelFolders(),
    host,
    decoder: decoderName(),
    version: appVersion(),
    pickFolder,
    pickFiles,
    desktop,
  });
}

/** The command line's studio: inference in this process. */
export async function createLocalStudio(): Promise<Studio> {
  return hostStudio('command-line', await localInference(), NO_DIALOGS);
}

/** The browser host's: inference in a child of plain Node. */
export function createServingStudio(): Studio {
  return hostStudio('browser', windowInference(forkedEngine), NO_DIALOGS);
}

/** The desktop's: inference in whatever process `channel` starts. */
export function createDesktopStudio(options: {
  readonly channel: (env: NodeJS.ProcessEnv) => ChildChannel;
  readonly pickFolder: () => Promise<string | null>;
  readonly pickFiles: () => Promise<readonly string[] | null>;
  readonly desktop: Desktop;
}): Studio {
  return hostStudio('desktop', windowInference(options.channel), options);
}
