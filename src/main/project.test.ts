import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createBrightInference } from '../../test/bright-inference.ts';
import { temporaryFolder } from '../../test/store-fixtures.ts';
import type { WireError } from '../shared/errors.ts';
import { openProject } from './project.ts';

it('says what stopped a scan, and stays usable', async () => {
  const root = temporaryFolder();
  const failures: WireError[] = [];
  const place = { folder: join(root, 'taken away'), file: join(root, 'project.db'), cache: join(root, 'cache'), note: null };
  const nothing = (): void => undefined;
  const project = openProject(
    place,
    createBrightInference(),
    {
      scanProgress: nothing,
      rowsChanged: nothing,
      scanFailed: (failure) => failures.push(failure),
      progress: nothing,
      imageDone: nothing,
      labelsMade: nothing,
    },
    Date.now,
  );
  expect(await project.scanned()).toBeNull();
  expect(failures).toMatchObject([{ code: 'not-found', detail: { path: place.folder } }]);
  expect(project.scanFailure()).toBe(failures[0]);
  expect(project.store.labels.create('mug', null).id).toBe(1);
  await project.close();
});
