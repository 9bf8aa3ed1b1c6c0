import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostKind } from '../shared/answers.ts';
import { appFolder } from './app-folder.ts';
import type { ChildChannel } from './inference/channel.ts';
import { forkChannel } from './inference/channel.ts';
import type { Inference } from './inference/inference.ts';
import { decoderName } from './inference/pixels.ts';
import { createRemoteInference } from './inference/remote.ts';
import type { Studio } from './studio.ts';
import { createStudio } from './studio.ts';
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

/** The engine in this process. ONNX Runtime is loaded only where this is called. */
export async function localInference(): Promise<Inference> {
  const { createEngine } = await import('./inference/engine.ts');
  return createEngine({ modelFolders: modelFolders(), providers: process.env['MASKLOOP_PROVIDERS'] });
}

/** The engine in a process of its own, started again when it ends. */
function remoteInference(spawn: () => ChildChannel): Inference {
  return createRemoteInference({ spawn, modelFolders: modelFolders(), providers: process.env['MASKLOOP_PROVIDERS'] });
}

function hostStudio(host: HostKind, inference: Inference, pickFolder: (() => Promise<string | null>) | null): Studio {
  return createStudio({
    inference,
    appFolder: appFolder(),
    modelFolders: modelFolders(),
    host,
    decoder: decoderName(),
    version: appVersion(),
    pickFolder,
  });
}

/** The command line's studio: inference in this process. */
export async function createLocalStudio(): Promise<Studio> {
  return hostStudio('command-line', await localInference(), null);
}

/** The browser host's: inference in a child of plain Node. */
export function createServingStudio(): Studio {
  // Run from its source, or from the build of an installed package.
  const child = fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? 'src/main/inference/child.ts' : 'dist/main/child.js', packageFolder),
  );
  return hostStudio(
    'browser',
    remoteInference(() => forkChannel(child)),
    null,
  );
}

/** The desktop's: inference in whatever process `channel` starts. */
export function createDesktopStudio(options: {
  readonly channel: () => ChildChannel;
  readonly pickFolder: () => Promise<string | null>;
}): Studio {
  return hostStudio('desktop', remoteInference(options.channel), options.pickFolder);
}
