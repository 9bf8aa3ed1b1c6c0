/** Dataset formats and what is said of a reading or a writing, as both sides of the contract know them. */

export const FORMAT_IDS = ['coco', 'yolo-seg', 'yolo-box', 'voc', 'labelme', 'cvat', 'isat', 'class-masks', 'instance-masks'] as const;
export type FormatId = (typeof FORMAT_IDS)[number];

/** `kept`: unusual, taken as it is; `repaired`: changed so that it can be used; `refused`: not taken; `lost`: the format cannot hold it. */
export const FINDING_KINDS = ['kept', 'repaired', 'refused', 'lost'] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** One line of an import's or an export's report. Nothing is changed or left out without one. */
export interface Finding {
  readonly kind: FindingKind;
  readonly what: 'file' | 'category' | 'image' | 'annotation';
  /** The id as the file has it, or the file's name; what the user looks for. */
  readonly id: string;
  /** Machine-readable reason in kebab case, the same for the same thing in every format: `ring-too-short`, `area-differs`. */
  readonly reason: string;
  /** A sentence with the figures. */
  readonly message: string;
}
