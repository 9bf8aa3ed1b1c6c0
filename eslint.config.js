import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['dist/', 'out/', 'release/', 'coverage/', 'test-results/', 'playwright-report/', '.cache/', 'node_modules/'] },
  js.configs.recommended,
  { files: ['**/*.ts', '**/*.svelte', '**/*.svelte.ts'], extends: ts.configs.strictTypeChecked },
  ...svelte.configs.recommended,
  prettier,
  ...svelte.configs.prettier,
  {
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
  },
  {
    files: ['**/*.ts', '**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname, extraFileExtensions: ['.svelte'] },
    },
    rules: {
      // Numbers in messages are the point of most messages here.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // The contract's calls carry their output as a type only.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // Our objects are made of closures; their methods have no `this` to lose.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Typed arrays and bitmaps are indexed in inner loops where the bound is the loop's own.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  {
    files: ['src/renderer/**'],
    rules: {
      // State is immutable values in `$state.raw`: a new Set is a new state, and is compared as one.
      'svelte/prefer-svelte-reactivity': 'off',
      // `void value` in an effect or a getter is how it subscribes to the value.
      '@typescript-eslint/no-meaningless-void-operator': 'off',
    },
  },
  {
    // eslint cannot see the types of imported components, which it takes for `any`; svelte-check does.
    files: ['**/*.svelte'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/restrict-plus-operands': 'off',
    },
  },
  {
    // Plain scripts: no types to check.
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    extends: [ts.configs.disableTypeChecked],
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts', 'e2e/**/*.ts', 'bench/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
);
