import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deviceKey, macDevices, nvidiaDevices, windowsDevices } from './gpu-devices.ts';
import { neededLibraries } from './gpu-elf.ts';
import { installHint, loaderCache } from './gpu-libraries.ts';
import { gpuPackage, installedMetadata, ortLibrary, ortVersion } from './gpu-package.ts';
import { gpuStatus, nextStep } from './gpu-status.ts';

describe('the GPU libraries that ONNX Runtime asks for', () => {
  it('are described by the installed package itself, for its own version', () => {
    const found = gpuPackage(installedMetadata(), 'linux', 'x64');
    expect(found?.version).toBe(ortVersion());
    expect(found?.files.map(({ name }) => name)).toContain('libonnxruntime_providers_cuda.so');
    expect(found?.index).toMatch(/^https:\/\//);
    expect(gpuPackage(installedMetadata(), 'linux', 'x64', 'http://mirror.example/index.json')?.index).toBe(
      'http://mirror.example/index.json',
    );
    for (const [platform, arch] of [
      ['win32', 'x64'],
      ['darwin', 'arm64'],
      ['linux', 'arm64'],
    ] as const) {
      expect(gpuPackage(installedMetadata(), platform, arch)).toBeNull();
    }
    expect(() => gpuPackage({}, 'linux', 'x64')).toThrow();
  });

  it.runIf(process.platform === 'linux')('are read out of the library, whatever it is called', async () => {
    const library = ortLibrary();
    expect(library).not.toBeNull();
    const names = await neededLibraries(library ?? '');
    expect(names).toContain('libc.so.6');
    expect(names).toContain('libstdc++.so.6');
    for (const name of names) expect(name).toMatch(/\.so(\.\d+)*$/);
    const folder = await mkdtemp(join(tmpdir(), 'maskloop-elf-'));
    const file = join(folder, 'lib.so');
    await writeFile(file, 'no library');
    await expect(neededLibraries(file)).rejects.toThrow('is no 64-bit ELF library');
    await writeFile(file, (await readFile(library ?? '')).subarray(0, 4096));
    await expect(neededLibraries(file)).rejects.toThrow();
    await rm(folder, { recursive: true });
  });

  it('are found as the loader finds them', () => {
    const cache = loaderCache(
      "2 libs found in cache `/etc/ld.so.cache'\n\tlibcudart.so.12 (libc6,x86-64) => /usr/local/cuda/lib64/libcudart.so.12\n\tlibcudart.so.12 (libc6,x86-64) => /opt/old/libcudart.so.12\n\tlibz.so.1 (libc6) => /usr/lib/i386-linux-gnu/libz.so.1\n",
    );
    expect([...cache]).toEqual([['libcudart.so.12', '/usr/local/cuda/lib64/libcudart.so.12']]);
  });

  it('come with how to get each', () => {
    expect(installHint('libcudnn.so.9')).toMatch(/cudnn9-cuda-12/);
    expect(installHint('libcublasLt.so.12')).toMatch(/cuda-libraries-12/);
    expect(installHint('libcuda.so.1')).toMatch(/driver/);
    expect(installHint('libnvinfer.so.10')).toMatch(/TensorRT, optional/);
  });
});

describe('what the machine has', () => {
  it('is read as the tools of each system tell it', () => {
    expect(nvidiaDevices('NVIDIA GeForce RTX 4070, 570.86.10, 12282\n\n')).toEqual([
      { name: 'NVIDIA GeForce RTX 4070', driver: '570.86.10', memoryMb: 12282 },
    ]);
    expect(nvidiaDevices('')).toEqual([]);
    expect(windowsDevices('Intel(R) UHD Graphics|31.0.101\r\nNVIDIA RTX A2000|\r\n')).toEqual([
      { name: 'Intel(R) UHD Graphics', driver: '31.0.101', memoryMb: null },
      { name: 'NVIDIA RTX A2000', driver: null, memoryMb: null },
    ]);
    expect(macDevices('Graphics/Displays:\n\n    Apple M3:\n\n      Chipset Model: Apple M3\n      Type: GPU\n')).toEqual([
      { name: 'Apple M3', driver: null, memoryMb: null },
    ]);
    expect(
      deviceKey([
        { name: 'A', driver: '1', memoryMb: null },
        { name: 'B', driver: null, memoryMb: 2 },
      ]),
    ).toBe('A (1) + B');
    expect(deviceKey([])).toBe('none');
  });

  it('leads to one next step', async () => {
    const device = { name: 'NVIDIA GeForce RTX 4070', driver: '570', memoryMb: 12282 };
    expect(nextStep([], false, [])).toMatch(/^No NVIDIA GPU or driver is seen here/);
    expect(nextStep([device], false, [])).toMatch(/maskloop gpu install/);
    const missing = { name: 'libcudnn.so.9', provider: 'cuda' as const, path: null, hint: 'x' };
    expect(nextStep([device], true, [missing])).toBe('Install what CUDA still needs from the system: libcudnn.so.9.');
    expect(nextStep([device], true, [{ ...missing, provider: 'tensorrt' }])).toMatch(/^All libraries are here/);
    const status = await gpuStatus(join(tmpdir(), 'maskloop-no-gpu-here'), {});
    expect(status).toMatchObject({ ortVersion: ortVersion(), installed: null, unfinishedBytes: 0 });
    expect(status.next.length).toBeGreaterThan(10);
  });
});
