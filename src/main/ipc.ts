import type { BrowserWindow, IpcMain, IpcMainInvokeEvent } from 'electron';
import type { Reply } from '../shared/errors.ts';
import { dispatch } from './dispatch.ts';
import type { Studio } from './studio.ts';

/** The page's own origin; nothing else may call. */
export const APP_ORIGIN = 'maskloop://app';

/**
 * Joins the contract to one window: calls from its main frame, and only while that frame shows our
 * own page; events to it. What is called, and with what, is checked by `dispatch`. Answers with the
 * way to part them.
 */
export function connectWindow(studio: Studio, window: BrowserWindow, ipcMain: IpcMain): () => void {
  ipcMain.handle('maskloop:call', async (event: IpcMainInvokeEvent, name: unknown, input: unknown): Promise<Reply<unknown>> => {
    if (!isOurPage(event, window) || typeof name !== 'string') {
      return { ok: false, error: { code: 'invalid', message: 'This page may not call the studio.', detail: {} } };
    }
    return dispatch(studio, name, input);
  });
  const stop = studio.onEvent((name, payload) => {
    if (!window.isDestroyed() && !window.webContents.isCrashed()) window.webContents.send('maskloop:event', name, payload);
  });
  return () => {
    stop();
    ipcMain.removeHandler('maskloop:call');
  };
}

function isOurPage(event: IpcMainInvokeEvent, window: BrowserWindow): boolean {
  const frame = event.senderFrame;
  if (frame === null || window.isDestroyed() || frame !== window.webContents.mainFrame) return false;
  return frame.url === `${APP_ORIGIN}/` || frame.url.startsWith(`${APP_ORIGIN}/index.html`);
}
