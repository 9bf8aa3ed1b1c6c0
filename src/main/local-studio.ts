import { fileURLToPath } from 'node:url';
import type { HostKind } from '../shared/contract.ts';
import { appFolder } from './app-folder.ts';
import type { Inference } from './inference/inference.ts';
import { decoderName } from './inference/pixels.ts';
import type { Studio } from './studio.ts';
import { createStudio } from './studio.ts';
import { appVersion, packageFolder } from './version.ts';

/** Folders that models are looked for in: those that come with the app, then the user's own. */
export function modelFolders(): string[] {
  return [fileURLToPath(new URL('models', packageFolder)), `${appFolder()}/models`];
}

/** The engine in this process, for the command line. */
export async function localInference(): Promise<Inference> {
  const { createEngine } = await import('./inference/engine.ts');
  return createEngine({ modelFolders: modelFolders(), providers: process.env['MASKLOOP_PROVIDERS'] });
}

/** The studio of one host, with the app's own folder, models and decoder. */
export function hostStudio(host: HostKind, inference: Inference, pickFolder: (() => Promise<string | null>) | null): Studio {
  return createStudio({ inference, appFolder: appFolder(), host, decoder: decoderName(), version: appVersion(), pickFolder });
}

/** The studio of the command line. */
export async function createLocalStudio(): Promise<Studio> {
  return hostStudio('command-line', await localInference(), null);
}
