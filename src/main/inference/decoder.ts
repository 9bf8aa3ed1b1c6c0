import { createRequire, registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type sharpFunction from 'sharp';
import { outsideArchive } from './archive.ts';

/**
 * Which build of sharp decodes in this process, decided here and nowhere else.
 *
 * On Linux the native build shares a process with Electron's own GLib, and the two disagree (GLib
 * criticals, growing memory, a reported segfault; sharp's install page has a section on it). There
 * the WebAssembly build decodes and refuses the same files, about four times slower. Everywhere else
 * (plain Node, Windows, macOS) it is the native build. `MASKLOOP_DECODER=native|wasm` overrides.
 */
export type DecoderBuild = 'native' | 'wasm';
export type Sharp = typeof sharpFunction;

const require = createRequire(import.meta.url);
const NATIVE_ADDON = /^@img\/sharp-(?:linux|linuxmusl|darwin|win32)-[a-z0-9]+\/sharp\.node$/;
const WASM = '@img/sharp-wasm32/sharp.node';

let loaded: Sharp | null = null;

/** The build for a runtime and why, as shown in diagnostics. `forced` is the environment's wish. */
export function chooseDecoder(
  forced: string | undefined,
  platform: NodeJS.Platform,
  electron: boolean,
): { readonly build: DecoderBuild; readonly reason: string } {
  if (forced === 'wasm' || forced === 'native') return { build: forced, reason: 'MASKLOOP_DECODER' };
  if (forced !== undefined && forced !== '') {
    throw new Error(`MASKLOOP_DECODER is "${forced}"; expected "native" or "wasm".`);
  }
  if (electron && platform === 'linux') return { build: 'wasm', reason: 'Electron on Linux' };
  return { build: 'native', reason: electron ? `Electron on ${platform}` : `Node on ${platform}` };
}

function chosen(): { readonly build: DecoderBuild; readonly reason: string } {
  return chooseDecoder(process.env['MASKLOOP_DECODER'], process.platform, 'electron' in process.versions);
}

/**
 * sharp, loaded on first use with the chosen build. sharp itself has no switch for the build: its
 * loader requires the platform's addon by name, so that one name is resolved to the WebAssembly
 * build instead. In a packaged app the files lie in `app.asar.unpacked`, because the build starts
 * workers from its own file, and a worker can't be started from inside an archive.
 */
export function loadSharp(): Sharp {
  if (loaded) return loaded;
  if (chosen().build === 'wasm') {
    const hooks = registerHooks({
      resolve(specifier, context, next) {
        if (!NATIVE_ADDON.test(specifier)) {
          return next(specifier, context);
        }
        const found = next(WASM, context);
        const file = outsideArchive(fileURLToPath(found.url));
        return { ...found, url: pathToFileURL(file).href };
      },
    });
    try {
      loaded = requireSharp();
    } finally {
      hooks.deregister();
    }
  } else {
    loaded = requireSharp();
  }
  // Files change under an annotation tool, and a cache of decoded tiles is memory without a limit.
  loaded.cache(false);
  return loaded;
}

function requireSharp(): Sharp {
  return require('sharp') as Sharp;
}

/** For diagnostics, e.g. `sharp 0.35.5 (wasm: Electron on Linux)`. Loads sharp. */
export function decoderName(): string {
  const { build, reason } = chosen();
  return `sharp ${loadSharp().versions.sharp} (${build}: ${reason})`;
}
