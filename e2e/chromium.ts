import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright/test';
import { chromium } from 'playwright/test';

/**
 * A Chromium from the package registry, with the system libraries it needs beside it, so that the
 * specs run on a bare machine: no root, no browser download, no display. Only its own switches that
 * matter here are given: the package's list turns web security off, which is under test.
 */
export async function launchChromium(): Promise<Browser> {
  const env = definedOnly(process.env);
  // The package unpacks its libraries only where it believes to be in the cloud it was made for, and
  // points this whole process to them.
  const cloud = process.env['AWS_EXECUTION_ENV'];
  const libraryPath = process.env['LD_LIBRARY_PATH'];
  process.env['AWS_EXECUTION_ENV'] = 'AWS_Lambda_nodejs22.x';
  try {
    const { default: packed } = await import('@sparticuz/chromium');
    packed.setGraphicsMode = false;
    const executablePath = await packed.executablePath();
    const libraries = join(tmpdir(), 'al2023', 'lib');
    return await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--no-zygote', '--font-render-hinting=none'],
      env: { ...env, ...(existsSync(libraries) ? { LD_LIBRARY_PATH: libraries } : {}) },
    });
  } finally {
    restore('AWS_EXECUTION_ENV', cloud);
    restore('LD_LIBRARY_PATH', libraryPath);
  }
}

function restore(name: 'AWS_EXECUTION_ENV' | 'LD_LIBRARY_PATH', value: string | undefined): void {
  if (value !== undefined) process.env[name] = value;
  else if (name === 'LD_LIBRARY_PATH') delete process.env['LD_LIBRARY_PATH'];
  else delete process.env['AWS_EXECUTION_ENV'];
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));
}
