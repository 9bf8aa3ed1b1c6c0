import type { EvaluationCase, EvaluationCases, Outcome } from '../../shared/answers/evaluation.ts';
import type { EvaluationCasesInput } from '../../shared/calls/evaluation.ts';
import type { OverlapKind } from '../../shared/evaluate/dataset.ts';
import { outcomesOf, RIGHT, WRONG } from '../../shared/evaluate/outcomes.ts';
import { contourOfRle } from '../../shared/mask/contour.ts';
import { geometryToRle } from '../../shared/mask/raster.ts';
import { rleBox } from '../../shared/mask/rle.ts';
import type { Annotation, Geometry, Label, Rle } from '../../shared/records.ts';
import type { KeptImage } from './evaluated-project.ts';
import type { EvaluationProject } from './project-source.ts';
import { openEvaluationProject } from './project-source.ts';

export type CasesQuery = Omit<EvaluationCasesInput, 'id'>;

/** One case before its shapes are fetched; places are those of the lists that were compared, -1 for none. */
interface Found {
  readonly outcome: Outcome;
  readonly at: KeptImage;
  readonly truth: number;
  readonly detection: number;
  /** The truth whose outline is shown; of what was wrongly found the nearest one. */
  readonly shown: number;
  readonly score: number | null;
  readonly iou: number;
}

/**
 * Right, wrong and missed instances at a threshold, by falling score, what was missed behind them in the order of the images; a page of
 * them with the shapes as they are in the project now. An instance that was deleted since has no outline.
 */
export function listCases(file: string, labels: readonly Label[], kept: readonly KeptImage[], asked: CasesQuery): EvaluationCases {
  const labelAt = (place: number): number => labels[place]?.id ?? 0;
  const found = kept
    .flatMap((image) => casesOf(image, asked.kind, asked.iou, asked.minScore))
    .filter(({ outcome, at, truth, detection }) => {
      const compared = at[asked.kind];
      const truthLabel = truth < 0 ? 0 : labelAt(compared.truthCategory[truth] ?? 0);
      const detectionLabel = detection < 0 ? 0 : labelAt(compared.detectionCategory[detection] ?? 0);
      // A confusion is two cases, wrongly found and missed; one cell of the matrix lists it once.
      const oneCell = asked.truthLabelId !== null && asked.detectionLabelId !== null;
      if (asked.outcome === null && oneCell && outcome === 'fn' && detection >= 0) return false;
      return (
        (asked.outcome === null || asked.outcome === outcome) &&
        (asked.truthLabelId === null || asked.truthLabelId === truthLabel) &&
        (asked.detectionLabelId === null || asked.detectionLabelId === detectionLabel) &&
        (asked.labelId === null || asked.labelId === (outcome === 'fn' ? truthLabel : detectionLabel))
      );
    });
  // Stable: what was missed has no score and keeps the order of the images.
  found.sort((a, b) => (b.score ?? -1) - (a.score ?? -1));
  const project = openEvaluationProject(file);
  try {
    return {
      total: found.length,
      rows: found.slice(asked.offset, asked.offset + asked.limit).map((one) => caseOf(one, asked.kind, labelAt, project)),
    };
  } finally {
    project.close();
  }
}

function casesOf(at: KeptImage, kind: OverlapKind, iou: number, minScore: number): Found[] {
  const compared = at[kind];
  const outcomes = outcomesOf(compared, iou, minScore);
  const overlap = (d: number, g: number): number => {
    for (let i = compared.pairFrom[d] ?? 0; i < (compared.pairFrom[d + 1] ?? 0); i++) {
      if (compared.pairTruth[i] === g) return compared.pairIou[i] ?? 0;
    }
    return 0;
  };
  const nearest = (d: number): number => {
    let best = -1;
    for (let i = compared.pairFrom[d] ?? 0; i < (compared.pairFrom[d + 1] ?? 0); i++) {
      const g = compared.pairTruth[i] ?? 0;
      if (best < 0 || overlap(d, g) > overlap(d, best)) best = g;
    }
    return best;
  };
  const cases: Found[] = [];
  outcomes.detection.forEach((outcome, d) => {
    if (outcome !== RIGHT && outcome !== WRONG) return;
    const truth = outcomes.truthOf[d] ?? -1;
    const shown = truth < 0 ? nearest(d) : truth;
    cases.push({
      outcome: outcome === RIGHT ? 'tp' : 'fp',
      at,
      truth,
      detection: d,
      shown,
      score: compared.score[d] ?? 0,
      iou: shown < 0 ? 0 : overlap(d, shown),
    });
  });
  outcomes.found.forEach((seen, g) => {
    if (seen === 1 || compared.crowd[g] === 1) return;
    const detection = outcomes.detectionOf[g] ?? -1;
    let best = 0;
    if (detection >= 0) best = overlap(detection, g);
    else {
      for (const [i, truth] of compared.pairTruth.entries()) if (truth === g) best = Math.max(best, compared.pairIou[i] ?? 0);
    }
    cases.push({ outcome: 'fn', at, truth: g, detection, shown: g, score: null, iou: best });
  });
  return cases;
}

function caseOf(found: Found, kind: OverlapKind, labelAt: (place: number) => number, project: EvaluationProject): EvaluationCase {
  const { outcome, at, truth, detection, shown, score, iou } = found;
  const compared = at[kind];
  const { image } = at;
  const shownId = shown < 0 ? null : (at.annotationIds[compared.truthPlace[shown] ?? 0] ?? null);
  const annotation = shownId === null ? null : (project.annotations(image.id).find(({ id }) => id === shownId) ?? null);
  const detected = detection < 0 ? null : (at.detected[compared.detectionPlace[detection] ?? 0] ?? null);
  const rle = detected && (detected.id === null ? detected.rle : project.suggestion(detected.id));
  const truthRle = annotation && maskOf(annotation, image.width, image.height);
  return {
    outcome,
    imageId: image.id,
    path: image.path,
    width: image.width,
    height: image.height,
    sha256: image.sha256,
    annotationId: truth < 0 ? null : shownId,
    truthLabelId: truth < 0 ? null : labelAt(compared.truthCategory[truth] ?? 0),
    suggestionId: detected?.id ?? null,
    detectionLabelId: detected?.labelId ?? null,
    score,
    iou,
    box: detected?.box ?? (truthRle ? rleBox(truthRle) : [0, 0, 0, 0]),
    truthRings: annotation && truthRle ? ringsOf(annotation.geometry, truthRle) : [],
    detectionRings: rle ? ringsOf({ kind: 'mask', rle }, rle) : [],
  };
}

/** Null where the image's file is of another size now. */
function maskOf({ geometry }: Annotation, width: number, height: number): Rle | null {
  if (geometry.kind === 'mask' && (geometry.rle.size[0] !== height || geometry.rle.size[1] !== width)) return null;
  return geometryToRle(geometry, width, height);
}

/** Outlines as they are drawn: a polygon's own rings, the exact border of a mask. */
function ringsOf(geometry: Geometry, rle: Rle): (readonly number[])[] {
  const parts = geometry.kind === 'polygon' ? geometry.parts : contourOfRle(rle);
  return parts.flatMap(({ outer, holes }) => [outer, ...holes]);
}
