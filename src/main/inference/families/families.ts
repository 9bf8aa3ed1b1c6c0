import type { Manifest } from '../manifest.ts';
import type { Family } from './family.ts';
import { maskRcnn } from './mask-rcnn.ts';

/** Every family by the name that manifests give it. */
export const FAMILIES: Readonly<Record<Manifest['family'], Family>> = { 'mask-rcnn': maskRcnn };
