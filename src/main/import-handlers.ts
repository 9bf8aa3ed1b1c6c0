import type { IMPORT_CALLS } from '../shared/calls/imports.ts';
import type { Handlers } from '../shared/contract.ts';
import type { Importing } from './importing.ts';

/** The calls of imports. */
export function createImportHandlers(importing: Importing): Pick<Handlers, keyof typeof IMPORT_CALLS> {
  return {
    'import.inspect': ({ place }) => importing.inspect(place),
    'import.read': (options) => importing.read(options),
    'import.findings': (query) => importing.findings(query),
    'import.commit': (options) => importing.commit(options),
    'import.list': () => importing.list(),
    'import.undo': (options) => importing.undo(options),
    'import.discard': async ({ id }) => {
      await importing.discard(id);
      return null;
    },
    'import.cancel': () => {
      importing.cancel();
      return Promise.resolve(null);
    },
  };
}
