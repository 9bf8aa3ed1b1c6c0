import type { ImageState } from '../../shared/records.ts';

export const STATE_NAMES: Readonly<Record<ImageState, string>> = {
  new: 'New',
  predicted: 'Predicted',
  'in-progress': 'In progress',
  done: 'Done',
  skipped: 'Skipped',
};

const NUMBER = new Intl.NumberFormat('en');

/** `12,345` */
export function count(n: number): string {
  return NUMBER.format(n);
}

/** `1 image`, `2 images` */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Milliseconds as the largest two units: `640 ms`, `1.9 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A duration that is a guess: rounded so that it does not flicker. */
export function roughDuration(ms: number): string {
  if (ms < 60_000) return `${Math.max(1, Math.round(ms / 1000))} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

export function fileSize(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.max(1, Math.round(bytes / 1000))} kB`;
  return `${(bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0)} MB`;
}

/** Time since, in words: `just now`, `5 min ago`, `yesterday`, or the date. */
export function ago(atMs: number, nowMs: number): string {
  const minutes = Math.floor((nowMs - atMs) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ago`;
  if (hours < 48) return 'yesterday';
  return new Date(atMs).toLocaleDateString('en', { day: 'numeric', month: 'short', year: 'numeric' });
}

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** What runs the models, as people write it. */
export function providerName(provider: string): string {
  const names: Readonly<Record<string, string>> = {
    cpu: 'CPU',
    cuda: 'CUDA',
    tensorrt: 'TensorRT',
    dml: 'DirectML',
    directml: 'DirectML',
    coreml: 'CoreML',
    webgpu: 'WebGPU',
  };
  return names[provider.toLowerCase()] ?? provider;
}
