import type { ModelInfo } from '../../../shared/answers.ts';
import { count, counted } from '../wording.ts';

/** What models are for, in the order in which the page shows them. */
export interface Purpose {
  readonly title: string;
  readonly about: string;
  readonly families: readonly string[];
}

export const PURPOSES: readonly Purpose[] = [
  { title: 'Instances', about: 'Each object a mask of its own, with class and score', families: ['mask-rcnn', 'yolo-seg', 'instance-maps'] },
  { title: 'Prompts', about: 'Click or draw a box and get the mask; or everything at once', families: ['sam'] },
  { title: 'Regions', about: 'A class for each pixel', families: ['semantic'] },
  { title: 'Foreground', about: 'What stands out, with soft edges for cut-outs', families: ['salient'] },
  { title: 'Image tags', about: 'What is in the picture, without saying where', families: ['classifier'] },
  { title: 'Without a network', about: 'Clustering by colour, with settings of your own', families: ['classical'] },
];

const OTHER: Purpose = { title: 'Other', about: '', families: [] };

/** Models by purpose; purposes without one are left out. */
export function byPurpose(models: readonly ModelInfo[]): readonly { readonly purpose: Purpose; readonly models: readonly ModelInfo[] }[] {
  const known = new Set(PURPOSES.flatMap((purpose) => purpose.families));
  return [...PURPOSES, OTHER]
    .map((purpose) => ({
      purpose,
      models: models.filter((model) => (purpose === OTHER ? !known.has(model.family) : purpose.families.includes(model.family))),
    }))
    .filter((group) => group.models.length > 0);
}

/** `80 classes: person, bicycle, car …` */
export function classesOf({ family, labels }: ModelInfo): string {
  if (labels.length === 0 || family === 'sam') return '';
  const names = labels.slice(0, 6).join(', ');
  return labels.length === 1 ? names : `${counted(labels.length, 'class', 'classes')}: ${names}${labels.length > 6 ? ' …' : ''}`;
}

/** `12.3 of 134.7 MB` */
export function amount(received: number, total: number | null): string {
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(1);
  return total === null ? `${mb(received)} MB` : `${mb(received)} of ${mb(total)} MB`;
}

export interface LicenceNote {
  /** What it asks for, in a sentence or two: a reading, not advice. */
  readonly text: string;
  /** Where its words stand. */
  readonly url: string | null;
}

/** What is said of a licence that is not permissive, before its weights are fetched. */
export function licenceNote(expression: string): LicenceNote {
  const id = expression.trim();
  const url = /^[A-Za-z0-9.+-]+$/.test(id) && !id.startsWith('LicenseRef-') ? `https://spdx.org/licenses/${id}.html` : null;
  if (/^AGPL-/.test(id)) {
    return {
      text:
        'A strong copyleft: whoever passes the weights on, or offers a product or a network service that is built with them, has to ' +
        'offer the complete source of it under the same licence. Their publisher also sells other terms.',
      url,
    };
  }
  if (/^L?GPL-/.test(id)) {
    return { text: 'A copyleft: whoever passes the weights on, or a work made with them, has to do so under the same licence.', url };
  }
  if (/^CC-.*-NC/.test(id)) return { text: 'Not for commercial use: neither the weights nor what you make with them.', url };
  return { text: 'It asks for more than naming its authors. Read what it says about your use before you agree.', url };
}

/** The state of the list in a line: `7 ready, 3 to fetch`. */
export function tally(models: readonly ModelInfo[]): string {
  const of = (state: ModelInfo['state']): number => models.filter((model) => model.state === state).length;
  const parts = [`${count(of('ready'))} ready`];
  if (of('to-fetch') + of('fetching') > 0) parts.push(`${count(of('to-fetch') + of('fetching'))} can be fetched`);
  if (of('broken') > 0) parts.push(`${count(of('broken'))} cannot be used`);
  return parts.join(', ');
}
