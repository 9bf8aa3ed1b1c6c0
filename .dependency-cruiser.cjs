/** The boundaries of docs/architecture.md, as checks. */

/** One package, one place that may import it. */
function onlyIn(name, pattern, places) {
  return {
    name,
    comment: `imported in ${places} only`,
    severity: 'error',
    from: { path: '^(src|models|bench|e2e)/', pathNot: `(${places})|\\.test\\.ts$` },
    to: { path: pattern, dependencyTypesNot: ['type-only'] },
  };
}

module.exports = {
  forbidden: [
    {
      name: 'shared-is-pure',
      comment: 'src/shared has no node, DOM, electron, konva or svelte, and nothing of the other parts',
      severity: 'error',
      from: { path: '^src/shared/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^src/shared/|node_modules/(zod|clipper2-ts)/' },
    },
    {
      name: 'renderer-knows-no-main',
      severity: 'error',
      from: { path: '^src/renderer/' },
      to: { path: '^src/(main|preload)/' },
    },
    {
      name: 'renderer-has-no-node',
      severity: 'error',
      from: { path: '^src/renderer/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'main-knows-no-renderer',
      severity: 'error',
      from: { path: '^src/(main|preload)/' },
      to: { path: '^src/renderer/' },
    },
    {
      name: 'tools-know-no-view',
      comment: 'a tool is a reducer',
      severity: 'error',
      from: { path: '^src/renderer/editor/tools/', pathNot: '\\.test\\.ts$' },
      to: { path: 'node_modules/(konva|svelte)/|^src/renderer/(canvas|ui)/' },
    },
    {
      name: 'export-check-is-independent',
      comment: 'what reads an export back shares nothing with what writes it but the JSON parser',
      severity: 'error',
      from: { path: '^src/main/formats/(coco-check|check-records|check-space|intervals)\\.ts$' },
      to: {
        path: '^src/',
        pathNot:
          '^src/main/formats/(check-records|check-space|intervals|json-texts|record-text|coco-source)\\.ts$|^src/shared/errors\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    onlyIn('sharp-in-one-place', 'node_modules/(sharp|@img)/', '^src/main/inference/(pixels|decoder)\\.ts$'),
    onlyIn('onnxruntime-in-one-place', 'node_modules/onnxruntime-node/', '^src/main/inference/(session-graph|gpu-package)\\.ts$'),
    onlyIn('sqlite-in-the-store', 'node_modules/better-sqlite3/', '^src/main/store/|^bench/'),
    onlyIn('konva-in-the-canvas', 'node_modules/konva/', '^src/renderer/canvas/'),
    onlyIn(
      'electron-on-the-desktop',
      'node_modules/electron/',
      '^src/main/(app|app-protocols|ipc|utility-channel|menu|desktop-dialogs|window-bounds)\\.ts$|^src/preload/|^e2e/',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|out|release|\\.cache)/' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    extraExtensionsToScan: ['.svelte'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['svelte', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.svelte', '.mjs', '.json'],
    },
  },
};
