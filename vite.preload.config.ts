import { defineConfig } from 'vite';

/** A sandboxed preload script is one CommonJS file. */
export default defineConfig({
  publicDir: false,
  build: {
    target: 'chrome140',
    outDir: 'dist/preload',
    emptyOutDir: true,
    minify: false,
    lib: { entry: 'src/preload/index.ts', formats: ['cjs'], fileName: () => 'index.cjs' },
    rolldownOptions: { external: ['electron'] },
  },
});
