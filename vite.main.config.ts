import { builtinModules } from 'node:module';
import { defineConfig } from 'vite';

/** Native code, and what finds its own files at run time, stays outside of the bundles. */
const EXTERNAL = [
  'electron',
  'better-sqlite3',
  'onnxruntime-node',
  'onnxruntime-common',
  'sharp',
  '@img/sharp-wasm32',
  'pacote',
  '@npmcli/config',
  '@npmcli/config/lib/definitions/index.js',
  'tar',
  '@techstark/opencv-js',
];

/**
 * The main side as ES modules for Electron and for an installed package: the desktop host, the
 * command line, and the entry of the inference process. Shared parts become chunks beside them.
 */
export default defineConfig({
  publicDir: false,
  ssr: { noExternal: true, external: EXTERNAL },
  build: {
    ssr: true,
    target: 'node22',
    outDir: 'dist/main',
    emptyOutDir: true,
    sourcemap: true,
    minify: false,
    rolldownOptions: {
      input: {
        app: 'src/main/app.ts',
        cli: 'src/main/cli.ts',
        child: 'src/main/inference/child.ts',
        'sample-worker': 'src/main/sample-worker.ts',
        'classical-worker': 'src/main/classical/worker.ts',
        'render-worker': 'src/main/render-worker.ts',
        'import-worker': 'src/main/import-worker.ts',
        'staging-worker': 'src/main/staging-worker.ts',
        'evaluation-worker': 'src/main/evaluation/worker.ts',
        'analysis-worker': 'src/main/analysis-worker.ts',
      },
      external: [...EXTERNAL, ...builtinModules, ...builtinModules.map((name) => `node:${name}`)],
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    },
  },
});
