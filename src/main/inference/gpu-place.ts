import { existsSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { usualFolders } from './gpu-libraries.ts';
import { INSTALLED, ortLibrary, ortVersion, versionFolder } from './gpu-package.ts';

const installedSchema = z.object({
  name: z.string(),
  version: z.string(),
  bytes: z.record(z.string(), z.number().int().nonnegative()),
  installedAtMs: z.number(),
});
export type InstalledGpu = Readonly<z.infer<typeof installedSchema>>;

/** What is installed for this version of ONNX Runtime, or null; a folder that is not whole counts as none. */
export function installedGpu(folder: string, version: string): InstalledGpu | null {
  const place = versionFolder(folder, version);
  try {
    const note = installedSchema.parse(JSON.parse(readFileSync(join(place, INSTALLED), 'utf8')));
    const there = new Set(readdirSync(place));
    return note.version === version && Object.keys(note.bytes).every((name) => there.has(name)) ? note : null;
  } catch {
    return null;
  }
}

/**
 * The environment in which a process finds the installed libraries, or null where none are.
 *
 * ONNX Runtime loads a provider from the folder that it was itself loaded from. That folder belongs to the
 * app and may be read-only (a package, an AppImage), so beside the installed providers lies a link to
 * ONNX Runtime's library, and `LD_LIBRARY_PATH`, which goes before the binding's own `RUNPATH`, makes the
 * loader take it from there. The path the loader was given counts, not what the link points to. The loader
 * reads the variable when a process starts, so this only works for a new one.
 */
export function gpuEnvironment(folder: string, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv | null {
  if (process.platform !== 'linux') return null;
  const version = ortVersion();
  if (installedGpu(folder, version) === null) return null;
  const library = ortLibrary();
  if (library === null) return null;
  const place = versionFolder(folder, version);
  linkTo(library, join(place, 'libonnxruntime.so.1'));
  const paths = [place, ...(env['LD_LIBRARY_PATH'] ?? '').split(':'), ...usualFolders()].filter((path) => path.length > 0);
  return { ...env, LD_LIBRARY_PATH: [...new Set(paths)].join(':') };
}

/** An AppImage is mounted elsewhere each time: an old link is replaced, in one step. */
function linkTo(target: string, link: string): void {
  if (existsSync(link) && readlinkSync(link) === target) return;
  const next = `${link}.${process.pid}`;
  rmSync(next, { force: true });
  symlinkSync(target, next);
  renameSync(next, link);
}
