import type { SalientManifest, SemanticManifest } from '../manifest.ts';
import { probabilityField } from './class-map.ts';
import type { Family } from './family.ts';
import { outputOf, semantic } from './semantic.ts';

/**
 * What a picture is about, as one soft map: suggestions are its pieces above a threshold, a cut-out takes
 * it as alpha. In all but the alpha it is semantic segmentation with one channel of foreground.
 */
export const salient: Family<SalientManifest> = {
  options: ['regions'],
  decodeLimit: (manifest) => semantic.decodeLimit(asSemantic(manifest)),
  prepare: (manifest, image, full) => semantic.prepare(asSemantic(manifest), image, full),
  decode: (manifest, outputs, transform, options) => semantic.decode(asSemantic(manifest), outputs, transform, options),
  alpha(manifest, outputs, transform) {
    const plain = asSemantic(manifest);
    const field = probabilityField(plain, outputOf(plain, outputs), transform);
    const alpha = new Uint8Array(field.length);
    for (let i = 0; i < field.length; i++) alpha[i] = Math.round((field[i] ?? 0) * 255);
    return alpha;
  },
};

function asSemantic({ input, outputs, variant, ...rest }: SalientManifest): SemanticManifest {
  return {
    ...rest,
    family: 'semantic',
    variant: variant === 'logits' ? 'sigmoid-logits' : 'sigmoid',
    input: { ...input, layout: 'nchw' },
    outputs: { map: outputs.alpha },
    map: { layout: 'nchw', alignCorners: false },
    background: [],
  };
}
