/**
 * Which execution providers are worth trying on a platform, best first; `cpu` is always last and always
 * works. Whether one really works is only known by making a session with it and running it.
 * Names are ONNX Runtime's for its Node binding.
 */
export function providerOrder(platform: NodeJS.Platform, arch: string, available: readonly string[]): readonly string[] {
  const wanted =
    platform === 'win32'
      ? ['dml', 'webgpu']
      : platform === 'darwin'
        ? ['coreml', 'webgpu']
        : arch === 'x64'
          ? ['tensorrt', 'cuda', 'webgpu']
          : ['webgpu'];
  return [...wanted.filter((provider) => available.includes(provider)), 'cpu'];
}

/** Where Linux shows a GPU: direct rendering, NVIDIA's and AMD's compute, and Windows' GPU under WSL. */
const LINUX_GPUS: readonly string[] = ['/dev/dri', '/dev/nvidiactl', '/dev/kfd', '/dev/dxg'];

/**
 * Why a provider need not even be tried on this machine, or null. Trying WebGPU without a GPU costs a
 * third of a second and prints its complaints to the terminal.
 */
export function absentHardware(provider: string, platform: NodeJS.Platform, exists: (path: string) => boolean): string | null {
  if (provider === 'cpu' || platform !== 'linux' || LINUX_GPUS.some(exists)) return null;
  return `this machine shows no GPU (none of ${LINUX_GPUS.join(', ')})`;
}

/**
 * The user's restriction, `MASKLOOP_PROVIDERS`, e.g. `cpu` or `cuda,cpu`: in its order. `cpu` is added
 * at the end, since it is what every graph can fall back on.
 * @throws Error when it names a provider that this build of ONNX Runtime does not have.
 */
export function restrictProviders(wish: string | undefined, available: readonly string[]): readonly string[] | null {
  const names = (wish ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name.length > 0);
  if (names.length === 0) return null;
  const unknown = names.find((name) => !available.includes(name));
  if (unknown !== undefined) {
    throw new Error(`MASKLOOP_PROVIDERS names "${unknown}"; this build of ONNX Runtime has ${available.join(', ')}.`);
  }
  return names.includes('cpu') ? names : [...names, 'cpu'];
}

/**
 * The user's choice among `order`, in the user's order; null is all of it. Names that this build does not
 * have (the settings of another machine) are passed over, and the CPU is always the last resort.
 */
export function chosenOrder(order: readonly string[], chosen: readonly string[] | null): readonly string[] {
  if (chosen === null) return order;
  const known = [...new Set(chosen)].filter((provider) => order.includes(provider));
  return known.includes('cpu') ? known : [...known, 'cpu'];
}

/** Threads inside one operator: all cores but one, which is the window's, and at least one. */
export function inferenceThreads(cores: number): number {
  return Math.max(1, cores - 1);
}

/** One line of what ONNX Runtime says, which begins with source paths and may run over pages. */
export function shortReason(message: string): string {
  if (/Failed to load shared library/.test(message)) return 'its library, or one that it needs, is not installed';
  const line = message.split('\n').find((part) => part.trim().length > 0) ?? 'no reason was given';
  return line
    .replace(/^.*?was false\.\s*/, '')
    .replace(/^Error:\s*/, '')
    .replace(/^OrtSessionOptionsAppendExecutionProvider_\w+:\s*/, '')
    .trim()
    .slice(0, 300);
}
