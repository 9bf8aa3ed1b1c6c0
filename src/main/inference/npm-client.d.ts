/** The parts of npm's own libraries that are used here; they come without types. */

declare module 'pacote' {
  type Integrity = { readonly integrity?: string };
  export type Options = Readonly<Record<string, unknown>> & Integrity;
  interface Pacote {
    tarball: {
      /**
       * Calls `handler` with the gzipped tarball, once more after a damaged one. The stream ends with an
       * `EINTEGRITY` error where the tarball is not the one that `integrity` names.
       */
      stream<T>(spec: string, handler: (stream: NodeJS.ReadableStream) => Promise<T>, options: Options): Promise<T>;
    };
  }
  const pacote: Pacote;
  export default pacote;
}

declare module '@npmcli/config' {
  export default class Config {
    constructor(options: {
      readonly npmPath: string;
      readonly cwd: string;
      readonly definitions: object;
      readonly shorthands: object;
      readonly flatten: object;
      readonly argv: readonly string[];
      readonly env: NodeJS.ProcessEnv;
      readonly warn: boolean;
    });
    load(): Promise<void>;
    /** Settings as npm's libraries take them. */
    readonly flat: Readonly<Record<string, unknown>>;
  }
}

declare module '@npmcli/config/lib/definitions/index.js' {
  const settings: { readonly definitions: object; readonly shorthands: object; readonly flatten: object };
  export default settings;
}
