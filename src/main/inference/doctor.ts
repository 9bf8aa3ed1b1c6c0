import type { DoctorReport } from '../../shared/answers/models.ts';
import type { Examination } from './examine.ts';
import type { Manifest } from './manifest.ts';

/**
 * Looks at what a model did with one image, with suspicion: what a wrong normalisation, a wrong variant or
 * a wrong list of classes looks like from outside. Pure.
 */
export function signsOf(manifest: Manifest, seen: Examination): DoctorReport['signs'] {
  const wrong: string[] = [];
  const odd: string[] = [];
  for (const { name, notFinite } of seen.outputs) {
    if (notFinite > 0)
      wrong.push(
        `Its output “${name}” holds ${notFinite} values that are no numbers (NaN or infinite): it was fed what it does not take, or the export is broken.`,
      );
  }
  wrong.push(...mapSigns(manifest, seen));
  const scores = [...seen.instances, ...seen.tags].map(({ score }) => score);
  const least = Math.min(...scores);
  const most = Math.max(...scores);
  // What a SAM expects of its masks is an estimate, and may pass 1 a little.
  if (scores.length > 0 && (least < 0 || most > (manifest.family === 'sam' ? 1.1 : 1.001))) {
    wrong.push(`Its scores go from ${round(least)} to ${round(most)}, not from 0 to 1.`);
  }
  const outside = seen.instances.filter(({ box: [x, y, w, h] }) => x < -1 || y < -1 || x + w > seen.width + 1 || y + h > seen.height + 1);
  if (outside.length > 0)
    wrong.push(`${outside.length} of ${seen.instances.length} boxes reach outside of the image: its size is understood in another way.`);

  if (seen.instances.length === 0 && seen.tags.length === 0) {
    odd.push('It found nothing here. If the image shows one of its classes, the normalisation or the order of colours may be another one.');
  }
  const shown = seen.instances.filter((instance) => instance.score >= manifest.thresholds.score);
  if (seen.instances.length > 0 && shown.length === 0)
    odd.push(`What it found has scores below ${manifest.thresholds.score}, so that nothing is shown at first.`);
  const labels = new Set(shown.map((instance) => instance.label));
  if (manifest.labels.length > 2 && shown.length >= 10 && labels.size === 1) {
    odd.push(`All ${shown.length} are “${[...labels][0] ?? ''}”, of ${manifest.labels.length} classes. Look whether that is so.`);
  }
  const large = shown.filter(({ box: [, , w, h] }) => w * h > 0.95 * seen.width * seen.height);
  if (shown.length >= 4 && large.length === shown.length) odd.push('Every one of them fills the image.');
  return [...wrong.map((text) => ({ severity: 'wrong' as const, text })), ...odd.map((text) => ({ severity: 'odd' as const, text }))];
}

/** Whether a map, or a classifier's row, holds what the variant says. */
function mapSigns(manifest: Manifest, seen: Examination): readonly string[] {
  if (manifest.family !== 'semantic' && manifest.family !== 'salient' && manifest.family !== 'classifier') return [];
  const name =
    manifest.family === 'semantic'
      ? manifest.outputs.map
      : manifest.family === 'salient'
        ? manifest.outputs.alpha
        : manifest.outputs.scores;
  const output = seen.outputs.find((candidate) => candidate.name === name);
  if (!output || output.min === null || output.max === null) return [];
  const { min, max } = output;
  const range = `Its output “${name}” goes from ${round(min)} to ${round(max)}`;
  const bounded = min >= -0.001 && max <= 1.001;
  const { variant } = manifest;
  if ((variant === 'probabilities' || variant === 'sigmoid') && !bounded) return [`${range}: these are no probabilities, but logits.`];
  if ((variant === 'logits' || variant === 'sigmoid-logits') && bounded && min >= 0)
    return [`${range}: these look like probabilities, not logits.`];
  if (variant === 'argmax' && max >= manifest.labels.length) return [`${range}, but only ${manifest.labels.length} classes are named.`];
  return [];
}

/** What was found, by class, the most frequent first. */
export function classesFound(instances: Examination['instances']): DoctorReport['classes'] {
  const found = new Map<string, { count: number; best: number }>();
  for (const { label, score } of instances) {
    const before = found.get(label);
    found.set(label, { count: (before?.count ?? 0) + 1, best: Math.max(before?.best ?? 0, score) });
  }
  return [...found].map(([label, { count, best }]) => ({ label, count, best })).sort((a, b) => b.count - a.count || b.best - a.best);
}

function round(value: number): string {
  return Number(value.toPrecision(3)).toString();
}
