import { existsSync } from 'node:fs';

/**
 * The real file of a path inside a packaged app's archive. Electron lets Node read inside `app.asar`;
 * native code that opens a path itself (ONNX Runtime) and workers can't, so those files are packed
 * beside it, in `app.asar.unpacked`.
 */
export function outsideArchive(path: string): string {
  const outside = path.replace(/([\\/]app\.asar)([\\/])/, '$1.unpacked$2');
  return outside !== path && existsSync(outside) ? outside : path;
}
