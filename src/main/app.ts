import { mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { app, BrowserWindow, dialog, ipcMain, Menu, protocol, screen, session, shell, utilityProcess } from 'electron';
import log from 'electron-log/main.js';
import { appFolder } from './app-folder.ts';
import { registerSchemes, serveProtocols } from './app-protocols.ts';
import { createDesktop } from './desktop-dialogs.ts';
import { dispatch } from './dispatch.ts';
import { APP_ORIGIN, connectWindow } from './ipc.ts';
import { createDesktopStudio } from './local-studio.ts';
import { menuTemplate } from './menu.ts';
import type { Studio } from './studio.ts';
import { utilityChannel } from './utility-channel.ts';
import { packageFolder } from './version.ts';
import { readBounds, writeBounds } from './window-bounds.ts';

/**
 * The desktop host. Arguments: a folder to open, or `--sample`. The page is sandboxed and isolated,
 * can't navigate, open windows or ask for permissions, and reaches the studio only through the
 * contract (see ipc.ts) and pixels only by image id (see app-protocols.ts).
 */
const home = appFolder();
mkdirSync(home, { recursive: true });
// Chromium's own files, and with them the lock of the single instance, belong to this app folder.
app.setPath('userData', join(home, 'window'));
log.transports.file.resolvePathFn = () => join(home, 'logs', 'desktop.log');
// Lines go to the file and the terminal; the page is no place for them.
log.transports.ipc.level = false;
log.errorHandler.startCatching({ showDialog: false });
registerSchemes(protocol);

let studio: Studio | null = null;
let window: BrowserWindow | null = null;
let closed = false;

if (!app.requestSingleInstanceLock()) {
  app.quit();
} else {
  app.on('second-instance', (_event, argv, cwd) => {
    if (window === null) return;
    if (window.isMinimized()) window.restore();
    window.focus();
    openFromArguments(argv, cwd).catch(log.error);
  });
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-navigate', (event) => event.preventDefault());
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
  app.on('child-process-gone', (_event, details) => log.error('a child process is gone', details));
  app.on('window-all-closed', () => app.quit());
  app.on('before-quit', (event) => {
    if (closed) return;
    event.preventDefault();
    shutDown().catch(log.error);
  });
  app.whenReady().then(start).catch(fail);
}

async function start(): Promise<void> {
  const own = session.defaultSession;
  own.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  own.setPermissionCheckHandler(() => false);
  const running = createDesktopStudio({
    channel: (env) => utilityChannel(utilityProcess, fileURLToPath(new URL('dist/main/child.js', packageFolder)), env),
    pickFolder,
    pickFiles,
    desktop: createDesktop(() => window),
  });
  studio = running;
  serveProtocols(own, running, fileURLToPath(new URL('dist/renderer', packageFolder)));
  Menu.setApplicationMenu(
    Menu.buildFromTemplate(
      menuTemplate(process.platform, {
        openFolder: () => {
          openPicked().catch(log.error);
        },
        showLog: () => shell.showItemInFolder(join(home, 'logs', 'desktop.log')),
      }),
    ),
  );
  await openFromArguments(process.argv, process.cwd());
  await openWindow(running);
}

async function openWindow(running: Studio): Promise<void> {
  const boundsFile = join(home, 'window.json');
  const before = readBounds(
    boundsFile,
    screen.getAllDisplays().map((display) => display.workArea),
  );
  const opened = new BrowserWindow({
    ...(before === null ? { width: 1440, height: 900 } : { x: before.x, y: before.y, width: before.width, height: before.height }),
    minWidth: 960,
    minHeight: 600,
    show: false,
    backgroundColor: '#0f1113',
    webPreferences: {
      preload: fileURLToPath(new URL('dist/preload/index.cjs', packageFolder)),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    },
  });
  window = opened;
  const part = connectWindow(running, opened, ipcMain);
  opened.once('ready-to-show', () => {
    if (before?.maximized) opened.maximize();
    opened.show();
  });
  // The page prevents its unloading while an edit is not saved.
  opened.webContents.on('will-prevent-unload', (event) => {
    const choice = dialog.showMessageBoxSync(opened, {
      type: 'warning',
      message: 'The last edit is not saved yet.',
      buttons: ['Wait', 'Close and lose it'],
      defaultId: 0,
      cancelId: 0,
    });
    if (choice === 1) event.preventDefault();
  });
  opened.webContents.on('render-process-gone', (_event, details) => {
    log.error('the page is gone', details);
    if (details.reason === 'clean-exit' || opened.isDestroyed()) return;
    dialog.showMessageBoxSync(opened, {
      type: 'error',
      message: 'The window crashed and is opened again.',
      detail: `${details.reason}. Everything shown as saved is saved.`,
    });
    opened.webContents.reload();
  });
  const closing = new AbortController();
  opened.on('close', () => {
    closing.abort();
    const bounds = { ...opened.getNormalBounds(), maximized: opened.isMaximized() };
    try {
      writeBounds(boundsFile, bounds);
    } catch (thrown) {
      log.warn(`${boundsFile} was not written`, thrown);
    }
  });
  opened.on('closed', () => {
    part();
    window = null;
  });
  try {
    await opened.loadURL(`${APP_ORIGIN}/`);
  } catch (thrown) {
    // Closed before its page was there: that is no failure to start.
    if (!closing.signal.aborted) throw thrown;
  }
}

/** The first argument that is a folder, or `--sample`. A folder that can't be opened leaves the welcome screen, and is said. */
async function openFromArguments(argv: readonly string[], cwd: string): Promise<void> {
  if (studio === null) return;
  // Run unpackaged, our own folder is an argument too, behind Chromium's.
  const given = argv.slice(1).filter((argument) => resolve(cwd, argument) !== app.getAppPath());
  const folder = given.find(
    (argument) => !argument.startsWith('-') && statSync(resolve(cwd, argument), { throwIfNoEntry: false })?.isDirectory(),
  );
  const reply = given.includes('--sample')
    ? await dispatch(studio, 'project.openSample', {})
    : folder === undefined
      ? null
      : await dispatch(studio, 'project.open', { folder: resolve(cwd, folder) });
  if (reply !== null && !reply.ok) {
    log.error(reply.error.message, reply.error.detail);
    dialog.showErrorBox('The project was not opened', reply.error.message);
  }
}

async function pickFolder(): Promise<string | null> {
  const options = { title: 'Open a folder of images', properties: ['openDirectory' as const, 'createDirectory' as const] };
  const picked = await (window === null ? dialog.showOpenDialog(options) : dialog.showOpenDialog(window, options));
  return picked.canceled ? null : (picked.filePaths[0] ?? null);
}

async function pickFiles(): Promise<readonly string[] | null> {
  const options = {
    title: 'Add a model',
    properties: ['openFile' as const, 'multiSelections' as const],
    filters: [{ name: 'Models', extensions: ['onnx', 'ort', 'yaml', 'yml', 'txt'] }],
  };
  const picked = await (window === null ? dialog.showOpenDialog(options) : dialog.showOpenDialog(window, options));
  return picked.canceled ? null : picked.filePaths;
}

async function openPicked(): Promise<void> {
  const folder = await pickFolder();
  if (folder !== null) await openFromArguments(['', folder], process.cwd());
}

/** The window first, so that the page can save; then the studio, so that the file is closed whole. */
async function shutDown(): Promise<void> {
  if (window !== null) {
    const last = window;
    last.close();
    // Not closed: the user chose to wait for the save.
    if (!last.isDestroyed()) await new Promise<void>((done) => last.once('closed', () => done()));
  }
  if (closed) return;
  closed = true;
  await studio?.close();
  studio = null;
  app.quit();
}

function fail(thrown: unknown): void {
  log.error(thrown);
  dialog.showErrorBox('Maskloop cannot start', thrown instanceof Error ? thrown.message : String(thrown));
  closed = true;
  app.exit(1);
}
