import type { Inference } from '../src/main/inference/inference.ts';
import type { Studio } from '../src/main/studio.ts';
import { createStudio } from '../src/main/studio.ts';
import type { HostKind } from '../src/shared/answers.ts';

/** A studio without dialogs, as a host makes one. */
export function makeStudio(inference: Inference, appFolder: string, host: HostKind = 'browser'): Studio {
  return createStudio({ inference, appFolder, host, decoder: 'test', version: '1.2.3', pickFolder: null });
}
