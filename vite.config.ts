import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

/** The window: one page, the same for the desktop and the browser host. */
export default defineConfig({
  root: 'src/renderer',
  // Relative addresses: the desktop serves the page from its own protocol, the browser host from `/`.
  base: './',
  plugins: [svelte()],
  build: {
    outDir: '../../dist/renderer',
    emptyOutDir: true,
    target: 'chrome136',
    sourcemap: true,
    // The content security policy allows fonts and images from files only, so nothing becomes a data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
  },
});
