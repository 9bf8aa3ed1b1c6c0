import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { GpuDevice } from '../../shared/answers/providers.ts';

const run = promisify(execFile);

/** `name, driver_version, memory.total` of `nvidia-smi`, CSV without units. */
export function nvidiaDevices(csv: string): readonly GpuDevice[] {
  return csv
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .filter(([name]) => (name ?? '').length > 0)
    .map(([name, driver, memory]) => ({ name: name ?? '', driver: driver ?? null, memoryMb: numberOrNull(memory) }));
}

/** `Name|DriverVersion` lines of PowerShell's Win32_VideoController. */
export function windowsDevices(text: string): readonly GpuDevice[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([name]) => (name ?? '').length > 0)
    .map(([name, driver]) => ({ name: name ?? '', driver: driver || null, memoryMb: null }));
}

/** `system_profiler SPDisplaysDataType`: the chipsets' names. */
export function macDevices(text: string): readonly GpuDevice[] {
  return [...text.matchAll(/^\s*Chipset Model: (.+)$/gm)].map(([, name]) => ({ name: name?.trim() ?? '', driver: null, memoryMb: null }));
}

/** PCI vendors of graphics processors, as Linux shows them in `/sys`. */
const VENDORS: Readonly<Record<string, string>> = {
  '0x10de': 'NVIDIA',
  '0x1002': 'AMD',
  '0x8086': 'Intel',
  '0x15ad': 'VMware',
  '0x1af4': 'virtio',
};

/**
 * The graphics processors of this machine as far as its own tools know them; an empty list where none is
 * seen. Never throws: it is only shown, and the key under which comparisons are kept.
 */
export async function gpuDevices(platform: NodeJS.Platform = process.platform): Promise<readonly GpuDevice[]> {
  if (platform === 'darwin') return macDevices(await said('system_profiler', ['SPDisplaysDataType']));
  const nvidia = nvidiaDevices(await said('nvidia-smi', ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader,nounits']));
  if (nvidia.length > 0) return nvidia;
  if (platform === 'win32') {
    const query = 'Get-CimInstance Win32_VideoController | ForEach-Object { $_.Name + "|" + $_.DriverVersion }';
    return windowsDevices(await said('powershell', ['-NoProfile', '-NonInteractive', '-Command', query]));
  }
  return linuxCards('/sys/class/drm');
}

/** One text for all devices and their drivers: what is measured on one may not hold on another. */
export function deviceKey(devices: readonly GpuDevice[]): string {
  return devices.length === 0 ? 'none' : devices.map(({ name, driver }) => (driver === null ? name : `${name} (${driver})`)).join(' + ');
}

function linuxCards(folder: string): readonly GpuDevice[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^card\d+$/.test(name))
      .map((card) => {
        const vendor = readFileSync(`${folder}/${card}/device/vendor`, 'utf8').trim();
        const device = readFileSync(`${folder}/${card}/device/device`, 'utf8').trim();
        return { name: `${VENDORS[vendor] ?? `vendor ${vendor}`} ${device}`, driver: null, memoryMb: null };
      });
  } catch {
    return [];
  }
}

async function said(program: string, args: readonly string[]): Promise<string> {
  try {
    return (await run(program, [...args], { timeout: 8000, windowsHide: true })).stdout;
  } catch {
    // Not installed, or it has no device to talk to.
    return '';
  }
}

function numberOrNull(text: string | undefined): number | null {
  const value = Number(text);
  return text === undefined || text === '' || !Number.isFinite(value) ? null : value;
}
