import type { FormatInfo } from '../../../shared/calls/formats.ts';
import type { FormatId } from '../../../shared/formats.ts';

/** What can be exported: a dataset of a format, or the folder that retrains a Mask R-CNN. */
export type ExportKind = FormatId | 'mask-rcnn';

/** What a format is for, in a few words beside its name. */
const ABOUT: Readonly<Record<ExportKind, string>> = {
  coco: 'Instances with every digit; for torchvision, Detectron2, MMDetection',
  'mask-rcnn': 'A folder that trains as it lies',
  'yolo-seg': 'Outlines, one text file an image',
  'yolo-box': 'Boxes, one text file an image',
  voc: 'Palette PNGs and XML',
  labelme: 'One JSON beside each image',
  cvat: 'One XML of images',
  isat: 'One JSON an image',
  'class-masks': 'A value per class',
  'instance-masks': 'A value per instance',
};

export interface ExportChoice {
  readonly kind: ExportKind;
  readonly name: string;
  readonly about: string;
}

/** COCO first, then what trains, then the neighbours that can be written, as the registry has them. */
export function exportChoices(formats: readonly FormatInfo[]): readonly ExportChoice[] {
  const neighbours = formats.filter(({ id, writes }) => writes && id !== 'coco');
  return [
    { kind: 'coco', name: 'COCO', about: ABOUT.coco },
    { kind: 'mask-rcnn', name: 'For Mask R-CNN', about: ABOUT['mask-rcnn'] },
    ...neighbours.map(({ id, name }): ExportChoice => ({ kind: id, name, about: ABOUT[id] })),
  ];
}

/** How exactly instances come back, in words; null where there is nothing to say. */
export function fidelityText({ fidelity }: FormatInfo): string {
  if (fidelity === null) return 'Instances of the same class cannot be told apart afterwards.';
  if (fidelity >= 1) return 'Instances come back exactly.';
  return `Instances come back with an IoU of at least ${fidelity}.`;
}
