import type { DatasetCategory, DatasetImage, DatasetInstance, DatasetSink, Finding } from './dataset.ts';

/** A sink that holds everything, for tests of readers. */
export function collect(): DatasetSink & {
  readonly categories: DatasetCategory[];
  readonly images: DatasetImage[];
  readonly instances: DatasetInstance[];
  readonly findings: Finding[];
  readonly others: { readonly key: string; readonly source: string }[];
} {
  const categories: DatasetCategory[] = [];
  const images: DatasetImage[] = [];
  const instances: DatasetInstance[] = [];
  const findings: Finding[] = [];
  const others: { key: string; source: string }[] = [];
  return {
    categories,
    images,
    instances,
    findings,
    others,
    category: (category) => void categories.push(category),
    image: (image) => void images.push(image),
    instance: (instance) => void instances.push(instance),
    finding: (finding) => void findings.push(finding),
    rest: (key, source) => void others.push({ key, source }),
  };
}
