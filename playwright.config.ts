import { defineConfig } from 'playwright/test';

/** `MASKLOOP_E2E_HOST` is `browser` (default) or `desktop`: the same specs on both (see e2e/host.ts). */
const host = process.env['MASKLOOP_E2E_HOST'] ?? 'browser';

export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.spec.ts',
  outputDir: `test-results/${host}`,
  timeout: 300_000,
  expect: { timeout: 20_000 },
  workers: 1,
  retries: 0,
  forbidOnly: true,
  reporter: 'list',
});
