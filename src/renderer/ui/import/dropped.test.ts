import { describe, expect, it } from 'vitest';
import type { Client } from '../../client.ts';
import { kindOf, sendAnnotations } from './dropped.ts';

const file = (name: string, text = ''): File => new File([text], name);

describe('what is dropped on the window', () => {
  it('is a model where weights are among it, also beside other files', async () => {
    expect(await kindOf([file('labels.txt'), file('net.onnx')])).toBe('model');
  });

  it.each(['set.json', 'CVAT.XML'])('is annotations by the name %s', async (name) => {
    expect(await kindOf([file(name)])).toBe('annotations');
  });

  it('is looked into where it is a .yaml: YOLO’s names its classes, a model’s does not', async () => {
    expect(await kindOf([file('data.yaml', 'path: .\ntrain: images\nnames:\n  0: cup\n')])).toBe('annotations');
    expect(await kindOf([file('sam.yaml', 'type: segment_anything\nname: sam\nclasses:\n  - names: a\n')])).toBe('model');
  });

  it('is nothing that can be read where it is a photograph', async () => {
    expect(await kindOf([file('photo.jpg')])).toBeNull();
  });
});

describe('annotations sent from a browser', () => {
  /** Takes files as the studio does: below a folder of the batch. */
  function studio(root: string, separator: string): { readonly client: Pick<Client, 'pathOf'>; readonly taken: string[] } {
    const taken: string[] = [];
    const client: Pick<Client, 'pathOf'> = {
      pathOf(_file, annotations) {
        taken.push(`${annotations?.batch.length ?? 0} ${annotations?.path ?? ''}`);
        return Promise.resolve([root, ...(annotations?.path.split('/') ?? [])].join(separator));
      },
    };
    return { client, taken };
  }
  const ignore = (): void => undefined;

  it('are their own place where it is one file', async () => {
    const { client } = studio('/up/batch', '/');
    expect(await sendAnnotations(client, [{ file: file('a.json'), path: 'a.json' }], ignore)).toBe('/up/batch/a.json');
  });

  it('are the folder that was dropped, wherever the last file lies in it', async () => {
    const { client, taken } = studio('C:\\up\\batch', '\\');
    const files = ['set/data.yaml', 'set/labels/train/1.txt'].map((path) => ({ file: file('x'), path }));
    const told: number[] = [];
    expect(await sendAnnotations(client, files, (done) => told.push(done))).toBe('C:\\up\\batch\\set');
    expect(taken).toEqual(['36 set/data.yaml', '36 set/labels/train/1.txt']);
    expect(told).toEqual([0, 1, 2]);
  });

  it('get a folder where several files were dropped', async () => {
    const { client } = studio('/up/batch', '/');
    const files = ['a.json', 'b.json'].map((path) => ({ file: file(path), path }));
    expect(await sendAnnotations(client, files, ignore)).toBe('/up/batch/dropped');
  });
});
