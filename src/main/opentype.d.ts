/** The package's ES module, which Node only finds by its file; its types are those of the package. */
declare module 'opentype.js/dist/opentype.mjs' {
  export { parse } from 'opentype.js';
}
