import { AppError } from '../../../shared/errors.ts';
import type { Manifest, OneGraphManifest } from '../manifest.ts';
import { classifier } from './classifier.ts';
import type { Family } from './family.ts';
import { instanceMaps } from './instance-maps.ts';
import { maskRcnn } from './mask-rcnn.ts';
import { salient } from './salient.ts';
import { semantic } from './semantic.ts';
import { yoloSeg } from './yolo-seg.ts';

/** Families whose models answer by one run of one graph; SAM has its own way. */
type Name = OneGraphManifest['family'];
type ManifestOf<F extends Name> = Extract<Manifest, { readonly family: F }>;

function isOf<F extends Name>(name: F, manifest: Manifest): manifest is ManifestOf<F> {
  return manifest.family === name;
}

/** A family that takes any manifest and refuses those of the others. */
function only<F extends Name>(name: F, family: Family<ManifestOf<F>>): Family {
  const own = (manifest: Manifest): ManifestOf<F> => {
    if (isOf(name, manifest)) return manifest;
    throw new AppError('invalid', `${manifest.id}: is a ${manifest.family} model, not a ${name} one.`, { modelId: manifest.id });
  };
  const { tags, alpha } = family;
  return {
    decodeLimit: (manifest) => family.decodeLimit(own(manifest)),
    prepare: (manifest, image, full) => family.prepare(own(manifest), image, full),
    decode(manifest, outputs, transform, options = {}) {
      const stranger = Object.keys(options).find((key) => !(family.options ?? []).includes(key));
      if (stranger !== undefined) {
        const knows = family.options?.join(', ') ?? 'none';
        throw new AppError('invalid', `${manifest.id}: a ${name} model has no option "${stranger}" (it has: ${knows}).`, {
          modelId: manifest.id,
        });
      }
      return family.decode(own(manifest), outputs, transform, options);
    },
    ...(family.options ? { options: family.options } : {}),
    ...(tags ? { tags: (manifest, outputs) => tags(own(manifest), outputs) } : {}),
    ...(alpha ? { alpha: (manifest, outputs, transform) => alpha(own(manifest), outputs, transform) } : {}),
  };
}

/** Every family by the name that manifests give it. */
export const FAMILIES: Readonly<Record<Name, Family>> = {
  'mask-rcnn': only('mask-rcnn', maskRcnn),
  'yolo-seg': only('yolo-seg', yoloSeg),
  'instance-maps': only('instance-maps', instanceMaps),
  semantic: only('semantic', semantic),
  salient: only('salient', salient),
  classifier: only('classifier', classifier),
};
