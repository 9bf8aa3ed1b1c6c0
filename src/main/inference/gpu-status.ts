import { statSync } from 'node:fs';
import type { GpuDevice, GpuStatus, SystemLibrary } from '../../shared/answers/providers.ts';
import { gpuDevices } from './gpu-devices.ts';
import { systemLibraries } from './gpu-libraries.ts';
import { gpuPackage, installedMetadata, ortVersion, packagePart, versionFolder } from './gpu-package.ts';
import type { GpuPackage } from './gpu-package.ts';
import { installedGpu } from './gpu-place.ts';

/** The package for this machine; `MASKLOOP_GPU_FEED` names another service index. Null where none is needed. */
export function packageHere(env: NodeJS.ProcessEnv = process.env): GpuPackage | null {
  return gpuPackage(installedMetadata(), process.platform, process.arch, env['MASKLOOP_GPU_FEED'] || undefined);
}

/** Where ONNX Runtime's libraries for NVIDIA GPUs stand on this machine, and what to do next. */
export async function gpuStatus(folder: string, env: NodeJS.ProcessEnv = process.env): Promise<GpuStatus> {
  const version = ortVersion();
  const wanted = packageHere(env);
  const devices = await gpuDevices();
  const note = installedGpu(folder, version);
  const place = versionFolder(folder, version);
  const libraries = wanted === null ? [] : await systemLibraries(note === null ? null : place, env);
  const unsupported =
    wanted === null
      ? `On ${process.platform} ${process.arch} there is nothing to install: what this build of ONNX Runtime can use is inside it.`
      : null;
  return {
    unsupported,
    ortVersion: version,
    package: wanted === null ? null : { name: wanted.name, version: wanted.version },
    folder: place,
    installed:
      note === null
        ? null
        : {
            bytes: Object.values(note.bytes).reduce((sum, bytes) => sum + bytes, 0),
            files: Object.keys(note.bytes),
            installedAtMs: note.installedAtMs,
          },
    unfinishedBytes: wanted === null ? 0 : (statSync(packagePart(folder, wanted), { throwIfNoEntry: false })?.size ?? 0),
    devices,
    libraries,
    next: unsupported ?? nextStep(devices, note !== null, libraries),
  };
}

/** One sentence. */
export function nextStep(devices: readonly GpuDevice[], installed: boolean, libraries: readonly SystemLibrary[]): string {
  const nvidia =
    devices.some(({ name }) => /nvidia|geforce|quadro|tesla|rtx|gtx/i.test(name)) ||
    libraries.some(({ name, path }) => name === 'libcuda.so.1' && path !== null);
  if (!nvidia && !installed) return 'No NVIDIA GPU or driver is seen here: the libraries would be of no use.';
  if (!installed) return 'Install the libraries: the step below, or `maskloop gpu install`.';
  if (libraries.some(({ name, path }) => path === null && name.startsWith('libonnxruntime'))) {
    return 'What is installed is no library of this system: remove it and install it again.';
  }
  const missing = libraries.filter(({ provider, path }) => provider === 'cuda' && path === null).map(({ name }) => name);
  if (missing.length > 0) return `Install what CUDA still needs from the system: ${missing.join(', ')}.`;
  return 'All libraries are here: models are run with CUDA, after their outputs were compared with the CPU’s.';
}
