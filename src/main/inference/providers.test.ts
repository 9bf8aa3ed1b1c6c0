import { describe, expect, it } from 'vitest';
import { absentHardware, inferenceThreads, providerOrder, restrictProviders, shortReason } from './providers.ts';

describe('execution providers', () => {
  it('are tried best first, those that are in this build, and the CPU at last', () => {
    expect(providerOrder('linux', 'x64', ['cpu', 'webgpu', 'cuda', 'tensorrt'])).toEqual(['tensorrt', 'cuda', 'webgpu', 'cpu']);
    expect(providerOrder('linux', 'arm64', ['cpu', 'webgpu', 'cuda'])).toEqual(['webgpu', 'cpu']);
    expect(providerOrder('win32', 'x64', ['cpu', 'dml', 'webgpu'])).toEqual(['dml', 'webgpu', 'cpu']);
    expect(providerOrder('darwin', 'arm64', ['cpu', 'coreml'])).toEqual(['coreml', 'cpu']);
    expect(providerOrder('linux', 'x64', ['cpu'])).toEqual(['cpu']);
  });

  it('can be restricted by name, and end with the CPU all the same', () => {
    expect(restrictProviders('cpu', ['cpu', 'cuda'])).toEqual(['cpu']);
    expect(restrictProviders(' CUDA ', ['cpu', 'cuda'])).toEqual(['cuda', 'cpu']);
    expect(restrictProviders('cpu,cuda', ['cpu', 'cuda'])).toEqual(['cpu', 'cuda']);
    for (const none of [undefined, '', ' , ']) expect(restrictProviders(none, ['cpu'])).toBeNull();
    expect(() => restrictProviders('cuda,tpu', ['cpu', 'cuda'])).toThrow(
      'MASKLOOP_PROVIDERS names "tpu"; this build of ONNX Runtime has cpu, cuda.',
    );
  });

  it('are not tried on a Linux without a GPU', () => {
    const nothing = (): boolean => false;
    expect(absentHardware('cuda', 'linux', nothing)).toMatch(/^this machine shows no GPU/);
    expect(absentHardware('cpu', 'linux', nothing)).toBeNull();
    expect(absentHardware('webgpu', 'linux', (path) => path === '/dev/dri')).toBeNull();
    expect(absentHardware('dml', 'win32', nothing)).toBeNull();
  });

  it('leave a core to the window', () => {
    expect([1, 2, 8].map(inferenceThreads)).toEqual([1, 1, 7]);
  });

  it('have their reason told in one line, without source paths', () => {
    expect(shortReason('OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library')).toBe(
      'its library, or one that it needs, is not installed',
    );
    expect(
      shortReason('/onnxruntime_src/webgpu_context.cc:136 f() status == 1 was false. Failed to get a WebGPU adapter: none\n\nmore'),
    ).toBe('Failed to get a WebGPU adapter: none');
    expect(shortReason('')).toBe('no reason was given');
  });
});
