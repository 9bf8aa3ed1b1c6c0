// `npm run check`: types, lint, format and boundaries. Runs them all, then says which failed.
import { spawnSync } from 'node:child_process';

const STEPS = {
  types: ['tsc', '--noEmit'],
  'types of components': ['svelte-check', '--tsconfig', './tsconfig.json', '--fail-on-warnings', '--output', 'human'],
  lint: ['eslint', '.', '--max-warnings', '0', '--cache', '--cache-location', '.cache/eslint/'],
  format: ['prettier', '--check', '--cache', '--cache-location', '.cache/prettier', '--log-level', 'warn', '.'],
  boundaries: ['depcruise', 'src', '--config', '.dependency-cruiser.cjs', '--output-type', 'err'],
};

const only = process.argv.slice(2);
const failed = [];
for (const [name, [command, ...args]] of Object.entries(STEPS)) {
  if (only.length > 0 && !only.includes(name)) continue;
  const startedMs = Date.now();
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - startedMs) / 1000).toFixed(0)} s)`);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`check failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
