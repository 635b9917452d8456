import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import globals from 'globals';
import tseslint from 'typescript-eslint';
import { mortise } from './scripts/eslint/plugin.mjs';

// What each folder or file directly under src/ may import. The direction is the architecture: see CONTRIBUTING.md.
const contracts = ['lock.ts', 'deadline.ts', 'errors.ts', 'path.ts', 'folder.ts', 'with-lock.ts'];
const rooms = {
  'index.ts': ['*'],
  'file.ts': ['file'],
  'manager.ts': ['manager', 'deadlocks', 'backends', 'lock-manager.ts', 'decorators.ts'],
  file: ['parker', 'primitives/abort.ts', 'native.ts', ...contracts],
  'metrics.ts': ['metrics'],
  metrics: ['manager', ...contracts],
  'redis.ts': ['redis', 'remote', 'backends/redis.ts'],
  redis: ['remote', 'parker/after.ts', 'parker/clock.ts', ...contracts],
  'etcd.ts': ['etcd', 'remote', 'backends/etcd.ts'],
  etcd: ['remote', 'parker/clock.ts', 'parker/after.ts', ...contracts],
  remote: ['parker/after.ts', 'parker/clock.ts', 'primitives/abort.ts', ...contracts],
  command: ['file', 'errors.ts'],
  primitives: ['guard.ts', 'space', 'parker', ...contracts],
  space: ['parker', ...contracts],
  parker: ['native.ts', 'deadline.ts', 'errors.ts'],
  deadlocks: ['parker/clock.ts', 'primitives/abort.ts', ...contracts],
  manager: ['deadlocks', ...contracts],
  backends: [
    'manager/backend.ts',
    'deadlocks',
    'primitives',
    'space',
    'file',
    'remote',
    'redis',
    'redis.ts',
    'etcd',
    'etcd.ts',
    'parker/clock.ts',
    ...contracts,
  ],
  statistics: ['manager', 'primitives', 'guard.ts', 'space', 'parker', ...contracts],
  'lock-manager.ts': ['environment.ts', 'manager', 'deadlocks', 'statistics', 'backends', ...contracts],
  'decorators.ts': ['lock-manager.ts', 'manager', ...contracts],
  'environment.ts': ['manager', 'backends', 'redis/place.ts', ...contracts],
  'guard.ts': ['space', ...contracts],
  'deadline.ts': ['lock.ts', 'errors.ts'],
  'path.ts': ['deadline.ts', 'errors.ts'],
  'folder.ts': [],
  'with-lock.ts': ['lock.ts', 'deadline.ts'],
  'native.ts': ['errors.ts'],
  'lock.ts': [],
  'errors.ts': [],
};

const roomsWithAtomics = ['src/primitives/**', 'src/space/**', 'src/parker/**', 'src/file/**'];

const everywhere = {
  eqeqeq: 'error',
  'no-var': 'error',
  'object-shorthand': 'error',
  'prefer-const': 'error',
};

export default defineConfig([
  globalIgnores(['dist/', 'build/', 'prebuilds/', 'coverage/', '.matrix/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  {
    name: 'mortise/plain',
    files: ['**/*.{js,mjs}'],
    extends: [js.configs.recommended],
    languageOptions: { globals: globals.nodeBuiltin },
    rules: everywhere,
  },

  {
    name: 'mortise/typed',
    files: ['src/**/*.ts', 'test/**/*.ts'],
    extends: [js.configs.recommended, tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      ...everywhere,
      // Contracts make methods async that have nothing to await.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        // A guard of a `using` declaration does its work by going out of scope.
        { argsIgnorePattern: '^_', ignoreUsingDeclarations: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
    },
  },

  {
    name: 'mortise/library',
    files: ['src/**/*.ts'],
    plugins: { mortise },
    rules: {
      'max-lines': ['warn', { max: 400 }],
      'mortise/layers': ['error', { rooms }],
      'mortise/no-catch-all-file': 'error',
      'mortise/one-atomics-call': 'error',
      'mortise/no-hidden-atomics': 'error',
      'mortise/atomics-in-view': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Exports have names.' },
        {
          selector: 'MemberExpression[object.name="globalThis"][property.name="Atomics"]',
          message: 'Write Atomics.',
        },
      ],
    },
  },
  {
    name: 'mortise/no-atomics-outside-their-rooms',
    files: ['src/**/*.ts'],
    ignores: roomsWithAtomics,
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'Atomics', message: `Shared memory is touched only in ${roomsWithAtomics.join(', ')}.` },
      ],
    },
  },
  {
    name: 'mortise/front-door',
    files: ['src/index.ts', 'src/file.ts', 'src/manager.ts', 'src/metrics.ts', 'src/redis.ts', 'src/etcd.ts'],
    rules: {
      'max-lines': ['error', { max: 60 }],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'Program > :not(ImportDeclaration, ExportNamedDeclaration[source], ExportAllDeclaration)',
          message: 'The front door only re-exports.',
        },
      ],
    },
  },

  {
    name: 'mortise/tests',
    files: ['test/**/*.ts'],
    rules: {
      // `await null` lets the other tasks of a thread have their turn.
      '@typescript-eslint/await-thenable': 'off',
      // Claims about the API mention its methods without calling them.
      '@typescript-eslint/unbound-method': 'off',
      // Messages from workers and child processes are of any type.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    name: 'mortise/configuration',
    files: ['*.config.ts'],
    extends: [js.configs.recommended, tseslint.configs.recommended],
    languageOptions: { globals: globals.nodeBuiltin },
    rules: everywhere,
  },
]);
