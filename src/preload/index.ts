import { contextBridge, ipcRenderer, webUtils } from 'electron';
import type { IpcRendererEvent } from 'electron';

// The whole bridge. What may be called is decided on the other side, from the contract.
contextBridge.exposeInMainWorld('maskloop', {
  pixelRoot: 'maskloop-pixels://project/',
  invoke: (name: string, input: unknown): Promise<unknown> => ipcRenderer.invoke('maskloop:call', name, input),
  // Of a file that was dropped on the window: its place on the disk.
  pathOf: (file: File): string => webUtils.getPathForFile(file),
  on: (listener: (name: string, payload: unknown) => void): (() => void) => {
    const told = (_event: IpcRendererEvent, name: string, payload: unknown): void => listener(name, payload);
    ipcRenderer.on('maskloop:event', told);
    return () => ipcRenderer.off('maskloop:event', told);
  },
});
