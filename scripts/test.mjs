// Runs the suites named (unit, browser, desktop), each to its end, and prints one last line:
// `N passed, N failed`, with skipped ones named apart. What stands after them goes to the runners: parts of
// the names of files, e.g. `npm run e2e -- import`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { buildIfStale } from '../bin/build.mjs';
import { findNode } from '../bin/runtime.mjs';

const RESULTS = 'test-results/counts';
/** Where test/forks.ts writes which files' process ended by itself, and how. */
const ENDED = `${RESULTS}/ended.txt`;
const SUITES = ['unit', 'browser', 'desktop'];
const suites = process.argv.slice(2).filter((arg) => SUITES.includes(arg));
const rest = process.argv.slice(2).filter((arg) => !SUITES.includes(arg));
const counts = { passed: 0, failed: 0, skipped: 0 };
let broken = false;

/**
 * Runs a suite; its JSON report is counted with `read`. A suite without a report counts as failed. Where a test's process
 * crashed, all of the suite is run once more, which is said; a second crash fails. It was V8 both times, see test/forks.ts.
 */
function runSuite(name, command, args, env, read) {
  const report = `${RESULTS}/${name}.json`;
  const run = () => {
    rmSync(report, { force: true });
    rmSync(ENDED, { force: true });
    return spawnSync(command, args(report), {
      stdio: 'inherit',
      env: { ...process.env, MASKLOOP_TEST_ENDED: ENDED, ...env(report) },
      shell: process.platform === 'win32',
    });
  };
  let { status } = run();
  if (status !== 0 && existsSync(ENDED)) {
    console.error(`${readFileSync(ENDED, 'utf8')}The suite "${name}" is run once more, all of it.`);
    ({ status } = run());
  }
  try {
    const found = read(JSON.parse(readFileSync(report, 'utf8')));
    counts.passed += found.passed;
    counts.failed += found.failed;
    counts.skipped += found.skipped;
    if (status !== 0 && found.failed === 0) throw new Error(`it ended with ${status}, though no test failed`);
  } catch (error) {
    console.error(`The suite "${name}" did not come to its end: ${error.message}`);
    counts.failed += 1;
  }
  if (status !== 0) broken = true;
}

function countVitest(report) {
  return { passed: report.numPassedTests, failed: report.numFailedTests, skipped: report.numPendingTests + report.numTodoTests };
}

function countPlaywright({ stats }) {
  return { passed: stats.expected + stats.flaky, failed: stats.unexpected, skipped: stats.skipped };
}

mkdirSync(RESULTS, { recursive: true });
if (suites.includes('browser') || suites.includes('desktop')) await buildIfStale(findNode());
for (const suite of suites) {
  if (suite === 'unit') {
    runSuite(
      suite,
      'vitest',
      (report) => ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...rest],
      () => ({}),
      countVitest,
    );
  } else {
    runSuite(
      suite,
      'playwright',
      () => ['test', '--reporter=list,json', ...rest],
      (report) => ({ MASKLOOP_E2E_HOST: suite, PLAYWRIGHT_JSON_OUTPUT_NAME: report }),
      countPlaywright,
    );
  }
}
if (suites.length === 0) {
  console.error(`There is no suite in "${rest.join(' ')}": ${SUITES.join(', ')}.`);
  broken = true;
}
console.log(`${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`);
if (broken || counts.failed > 0) process.exitCode = 1;
