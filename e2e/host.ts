import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, ElectronApplication, Page } from 'playwright/test';
import { _electron, test as base } from 'playwright/test';
import { launchChromium } from './chromium.ts';

/**
 * The app under test, on the host that `MASKLOOP_E2E_HOST` names. Specs see only this, so that they
 * are written once for the browser host and for the desktop.
 */
export interface Host {
  readonly kind: 'browser' | 'desktop';
  readonly page: Page;
  /** A folder for the spec's own files, gone after it. */
  readonly folder: string;
  /** Chooses a folder as a user does here: typed, or in the system's dialog. */
  openFolder(folder: string): Promise<void>;
  /** Ends the app as a user does, and starts it again with the same settings; `page` is a new one. */
  restart(): Promise<void>;
  /** What the page complained about: errors, refused loads, violations of its policy. */
  readonly complaints: readonly string[];
}

interface Running {
  readonly page: Page;
  choose(folder: string): Promise<void>;
  stop(): Promise<void>;
}

const ROOT = resolve(import.meta.dirname, '..');

export const test = base.extend<{ host: Host }>({
  // Playwright wants the pattern, though nothing is taken from it.
  // eslint-disable-next-line no-empty-pattern
  host: async ({}, use) => {
    const kind = process.env['MASKLOOP_E2E_HOST'] === 'desktop' ? 'desktop' : 'browser';
    const folder = mkdtempSync(join(tmpdir(), 'maskloop-e2e-'));
    const env = { ...definedEnv(), MASKLOOP_HOME: join(folder, 'home') };
    const complaints: string[] = [];
    const start = async (): Promise<Running> => {
      const running = await (kind === 'desktop' ? startDesktop(env) : startBrowser(env));
      listen(running.page, complaints);
      return running;
    };
    let running = await start();
    await use({
      kind,
      folder,
      complaints,
      get page() {
        return running.page;
      },
      openFolder: (chosen) => running.choose(chosen),
      async restart() {
        await running.stop();
        running = await start();
      },
    });
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  },
});
export { expect } from 'playwright/test';

function listen(page: Page, complaints: string[]): void {
  page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(`console ${message.type()}: ${message.text()}`);
  });
}

async function startBrowser(env: Record<string, string>): Promise<Running> {
  const server = spawn(process.execPath, [join(ROOT, 'bin', 'maskloop.mjs'), 'serve', '--json'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let browser: Browser | null = null;
  try {
    const url = await firstUrl(server);
    browser = await launchChromium();
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(url);
    const opened = browser;
    return {
      page,
      async choose(folder) {
        await page.getByTestId('welcome-folder').fill(folder);
        await page.getByTestId('welcome-open').click();
      },
      async stop() {
        await opened.close();
        await end(server);
      },
    };
  } catch (thrown) {
    await browser?.close();
    await end(server);
    throw thrown;
  }
}

/** `maskloop serve --json` prints `{"url": …}` when it listens. */
async function firstUrl(server: ChildProcess): Promise<string> {
  if (server.stdout === null) throw new Error('maskloop serve has no stdout');
  for await (const line of createInterface({ input: server.stdout })) {
    const told: unknown = JSON.parse(line);
    if (typeof told === 'object' && told !== null && 'url' in told && typeof told.url === 'string') return told.url;
    throw new Error(`maskloop serve said ${line}`);
  }
  throw new Error('maskloop serve ended before it listened');
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`maskloop serve ended with ${code ?? 'a signal'}`);
}

/**
 * Without a path of its own Playwright takes the Electron that the package names, and only then has it wait at its start
 * until it is attached; given a path it races with the app, and loses now and then.
 */
async function launchElectron(env: Record<string, string>): Promise<ElectronApplication> {
  process.env['ELECTRON_OVERRIDE_DIST_PATH'] = electronFolder();
  // As root, Chromium refuses to run in its sandbox.
  return _electron.launch({ args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ROOT], env, cwd: ROOT });
}

async function startDesktop(env: Record<string, string>): Promise<Running> {
  const app = await launchElectron(env);
  const page = await app.firstWindow();
  await setSize(app, 1440, 900);
  return {
    page,
    async choose(folder) {
      // The system's dialog can't be driven: its answer is given for it.
      await app.evaluate(({ dialog }, chosen) => {
        dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [chosen] });
      }, folder);
      await page.getByTestId('welcome-open').click();
    },
    async stop() {
      await app.close();
    },
  };
}

async function setSize(app: ElectronApplication, width: number, height: number): Promise<void> {
  await app.evaluate(
    ({ BrowserWindow }, size) => {
      BrowserWindow.getAllWindows()[0]?.setContentSize(size.width, size.height);
    },
    { width, height },
  );
}

function electronFolder(): string {
  const folder = process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? join(ROOT, '.cache', 'electron');
  if (existsSync(join(folder, 'electron'))) return folder;
  throw new Error(`There is no Electron in ${folder}: run \`node scripts/fetch-test-electron.mjs\`, or set ELECTRON_OVERRIDE_DIST_PATH.`);
}

function definedEnv(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined));
}
