import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SystemLibrary } from '../../shared/answers/providers.ts';
import { neededLibraries } from './gpu-elf.ts';

const run = promisify(execFile);

/** Libraries of the C and C++ runtime, which every system has, and those that come along. */
const OF_THE_SYSTEM = /^(ld-linux|libc|libm|libdl|librt|libpthread|libstdc\+\+|libgcc_s|libonnxruntime)[-_.]/;

/**
 * What is known about the libraries before they are here: ONNX Runtime's own page names CUDA 12 and
 * cuDNN 9. Once the provider is installed, its own list is read instead.
 * @see https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html
 */
const EXPECTED: readonly string[] = [
  'libcudart.so.12',
  'libcublas.so.12',
  'libcublasLt.so.12',
  'libcufft.so.11',
  'libcurand.so.10',
  'libcudnn.so.9',
];

/** Where CUDA lies on machines whose loader was not told. */
const USUAL_FOLDERS: readonly string[] = [
  '/usr/local/cuda/lib64',
  '/usr/local/cuda-12/lib64',
  '/usr/local/cuda/targets/x86_64-linux/lib',
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib64',
  '/usr/lib/wsl/lib',
  '/opt/cuda/lib64',
];

/**
 * The libraries that the installed providers need from the system, where each was found, and how to get
 * those that are missing.
 * @param folder of the installed provider libraries, or null before they are there.
 */
export async function systemLibraries(folder: string | null, env: NodeJS.ProcessEnv): Promise<readonly SystemLibrary[]> {
  const known = loaderCache(await ldconfig());
  const places = [...(env['LD_LIBRARY_PATH'] ?? '').split(':').filter((place) => place.length > 0), ...usualFolders()];
  const wanted = new Map<string, SystemLibrary['provider']>();
  wanted.set('libcuda.so.1', 'cuda');
  for (const name of folder === null ? EXPECTED : await neededOf(join(folder, 'libonnxruntime_providers_cuda.so')))
    wanted.set(name, 'cuda');
  if (folder !== null) {
    for (const name of await neededOf(join(folder, 'libonnxruntime_providers_tensorrt.so'))) {
      if (!wanted.has(name)) wanted.set(name, 'tensorrt');
    }
  }
  const broken = folder === null ? [] : await brokenProviders(folder);
  const needed = [...wanted].map(([name, provider]) => {
    const path = places.map((place) => join(place, name)).find((file) => existsSync(file)) ?? known.get(name) ?? null;
    return { name, provider, path, hint: path === null ? installHint(name) : null };
  });
  return [...broken, ...needed];
}

/** Installed libraries that are none: the loader would refuse them, and say less about it. */
async function brokenProviders(folder: string): Promise<readonly SystemLibrary[]> {
  const broken: SystemLibrary[] = [];
  for (const provider of ['cuda', 'tensorrt'] as const) {
    const name = `libonnxruntime_providers_${provider}.so`;
    if (!existsSync(join(folder, name))) continue;
    await neededLibraries(join(folder, name)).catch(() =>
      broken.push({ name, provider, path: null, hint: 'is no library of this system: remove the GPU libraries and install them again' }),
    );
  }
  return broken;
}

/** Folders with CUDA that the loader does not look into by itself; absolute paths. */
export function usualFolders(): readonly string[] {
  return USUAL_FOLDERS.filter((folder) => {
    try {
      return readdirSync(folder).some((name) => name.startsWith('libcudart.so') || name.startsWith('libcudnn.so'));
    } catch {
      return false;
    }
  });
}

async function neededOf(file: string): Promise<readonly string[]> {
  if (!existsSync(file)) return [];
  return (await neededLibraries(file).catch(() => [])).filter((name) => !OF_THE_SYSTEM.test(name));
}

/** `ldconfig -p`: name → path, of this machine's own architecture; the first of a name wins, as for the loader. */
export function loaderCache(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const parts = /^\s*(\S+) \(([^)]*)\) => (\S+)$/.exec(line);
    const [, name, kind, path] = parts ?? [];
    if (name === undefined || path === undefined || !(kind ?? '').includes('64') || found.has(name)) continue;
    found.set(name, path);
  }
  return found;
}

/** How to get a library with the system's own packages, one sentence. */
export function installHint(name: string): string {
  if (name.startsWith('libcuda.so'))
    return "comes with NVIDIA's driver: install the driver of your distribution (Debian and Ubuntu: nvidia-driver)";
  if (name.startsWith('libcudnn'))
    return "cuDNN: with NVIDIA's package repository, Debian and Ubuntu: apt-get install cudnn9-cuda-12; Fedora: dnf install cudnn9-cuda-12";
  if (/^libnvinfer|^libnvonnxparser/.test(name))
    return "TensorRT, optional: with NVIDIA's package repository, apt-get install tensorrt-libs";
  return "CUDA runtime: with NVIDIA's package repository, Debian and Ubuntu: apt-get install cuda-libraries-12-8; Fedora: dnf install cuda-libraries-12-8";
}

async function ldconfig(): Promise<string> {
  for (const program of ['ldconfig', '/sbin/ldconfig', '/usr/sbin/ldconfig']) {
    try {
      return (await run(program, ['-p'], { timeout: 10_000, maxBuffer: 2 ** 24 })).stdout;
    } catch {
      // Not on this path, or no such program: the folders are still looked into.
    }
  }
  return '';
}
