// Sums the lines `N passed, N failed` that each suite ends with. Usage: node scripts/sum-counts.mjs LOG
import { readFileSync } from 'node:fs';

const file = process.argv[2];
if (file === undefined) {
  console.error('usage: node scripts/sum-counts.mjs LOG');
  process.exit(2);
}
let passed = 0;
let failed = 0;
let suites = 0;
for (const line of readFileSync(file, 'utf8').split('\n')) {
  const match = /^(\d+) passed, (\d+) failed(?:, \d+ skipped)?$/.exec(line.trim());
  if (match === null) continue;
  passed += Number(match[1]);
  failed += Number(match[2]);
  suites += 1;
}
if (suites === 0) {
  console.error(`${file} has no line of counts: no suite came to its end`);
  process.exitCode = 1;
}
console.log(`${passed} passed, ${failed} failed`);
