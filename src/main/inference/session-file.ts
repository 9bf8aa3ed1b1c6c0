import { AppError } from '../../shared/errors.ts';
import type { UsableModel } from './catalog.ts';
import { graphNames, weightFiles } from './manifest.ts';
import type { SessionFile } from './sessions.ts';

/** What the sessions have to know of the file that does `role` in a model. @throws AppError `invalid` where it has none. */
export function sessionFile(model: UsableModel, role: string): SessionFile {
  const { manifest, files } = model;
  const weights = weightFiles(manifest).find((file) => file.role === role);
  const path = files[role];
  if (!weights || path === undefined) throw new AppError('invalid', `${manifest.id}: has no file "${role}".`, { modelId: manifest.id });
  return {
    modelId: manifest.id,
    modelVersion: manifest.version,
    role,
    path,
    bytes: weights.bytes,
    sha256: weights.sha256,
    ...graphNames(manifest, role),
  };
}
