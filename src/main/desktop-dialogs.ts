import { statSync } from 'node:fs';
import type { BrowserWindow, OpenDialogOptions } from 'electron';
import { dialog, shell } from 'electron';
import type { PickKind } from '../shared/calls/desktop.ts';
import type { Desktop } from './desktop-handlers.ts';

const FOLDER = ['openDirectory'] as const;

const OPTIONS: Readonly<Record<PickKind, OpenDialogOptions>> = {
  'annotation-file': {
    title: 'Import annotations',
    properties: ['openFile'],
    filters: [
      { name: 'Annotations', extensions: ['json', 'xml', 'yaml', 'yml', 'txt'] },
      { name: 'All files', extensions: ['*'] },
    ],
  },
  'annotation-folder': { title: 'Import a folder of annotations', properties: [...FOLDER] },
  'image-file': {
    title: 'Choose an image',
    properties: ['openFile'],
    filters: [{ name: 'Images', extensions: ['jpg', 'jpeg', 'png', 'webp', 'tif', 'tiff', 'bmp', 'gif', 'avif'] }],
  },
  'image-folder': { title: 'Choose the folder of the images', properties: [...FOLDER] },
  'model-file': {
    title: 'Choose the model',
    properties: ['openFile'],
    filters: [{ name: 'Models', extensions: ['onnx'] }],
  },
  'output-folder': { title: 'Choose the folder to write into', properties: [...FOLDER, 'createDirectory'] },
};

/** The system's dialogs over the window that is open now, and its file manager. */
export function createDesktop(window: () => BrowserWindow | null): Desktop {
  return {
    async pick(kind) {
      const over = window();
      const options = OPTIONS[kind];
      const picked = await (over === null ? dialog.showOpenDialog(options) : dialog.showOpenDialog(over, options));
      return picked.canceled ? null : (picked.filePaths[0] ?? null);
    },
    show(path) {
      // A folder is opened, a file shown in the one that it lies in.
      if (statSync(path).isDirectory()) void shell.openPath(path);
      else shell.showItemInFolder(path);
    },
  };
}
