import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Where the app keeps what belongs to no project: settings, the list of recent projects, the sample
 * project, models that the user added. `MASKLOOP_HOME` names another one (tests, portable use).
 */
export function appFolder(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  if (env['MASKLOOP_HOME']) return resolve(env['MASKLOOP_HOME']);
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Maskloop');
  if (platform === 'win32') return join(env['APPDATA'] ?? join(homedir(), 'AppData', 'Roaming'), 'Maskloop');
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'maskloop');
}
