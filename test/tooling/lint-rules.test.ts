import path from 'node:path';
import { RuleTester } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, it } from 'vitest';
import { mortise } from '../../scripts/eslint/plugin.mjs';

RuleTester.describe = describe;
RuleTester.it = it;
RuleTester.itOnly = it.only;

const tester = new RuleTester({ languageOptions: { parser: tseslint.parser } });
const { rules } = mortise;

tester.run('one-atomics-call', rules['one-atomics-call'], {
  valid: [
    'const seen = Atomics.load(words, 0); Atomics.store(words, 1, seen);',
    'if (Atomics.compareExchange(words, 0, 0, id) === 0) Atomics.add(words, 1, 1);',
    'for (let i = Atomics.load(w, 0); i < Atomics.load(w, 1); i += Atomics.load(w, 2)) step(i);',
    'const a = Atomics.load(w, 0), b = Atomics.load(w, 1);',
    'const wait = () => Atomics.load(w, 0); const wake = () => Atomics.notify(w, 0);',
    'run(() => Atomics.load(w, 0), () => Atomics.load(w, 1));',
    'while (Atomics.load(words, index(cell)) !== 0) turn();',
    'await Atomics.waitAsync(words, 0, 1).value;',
    'Math.max(load(words, 0), load(words, 1));',
  ],
  invalid: [
    {
      code: 'Atomics.store(words, 0, Atomics.load(words, 1));',
      errors: [{ messageId: 'argument', column: 25 }],
    },
    { code: 'decode(Atomics.load(words, 1));', errors: [{ messageId: 'argument' }] },
    { code: 'decode(1 + (Atomics.load(words, 1) as number));', errors: [{ messageId: 'argument' }] },
    { code: 'new Word(Atomics.load(words, 1));', errors: [{ messageId: 'argument' }] },
    {
      code: 'const sum = Atomics.load(words, 0) + Atomics.load(words, 1);',
      errors: [{ messageId: 'second', column: 38 }],
    },
    {
      code: 'if (Atomics.load(w, 0) === 0 && Atomics.compareExchange(w, 0, 0, id) === 0) enter();',
      errors: [{ messageId: 'second' }],
    },
    {
      code: 'const f = () => Atomics.load(w, 0) + globalThis.Atomics.load(w, 1);',
      errors: [{ messageId: 'second' }],
    },
    {
      code: '(Atomics as any).load(w, 0) || Atomics?.load(w, 1);',
      errors: [{ messageId: 'second' }],
    },
  ],
});

tester.run('no-hidden-atomics', rules['no-hidden-atomics'], {
  valid: [
    'class Mutex { isLocked() { return Atomics.load(this.words, 0) !== 0; } }',
    'class Mutex { static attach(words) { Atomics.store(words, 0, 1); return new Mutex(words); } }',
    'class Mutex { constructor() { this.later = () => Atomics.load(this.words, 0); } }',
    'class Mutex { load = () => Atomics.load(this.words, 0); }',
    'const word = { get(words) { return Atomics.load(words, 0); } };',
  ],
  invalid: [
    {
      code: 'class Mutex { constructor(words) { Atomics.store(words, 0, 1); } }',
      errors: [{ messageId: 'hidden', data: { where: 'constructor' } }],
    },
    {
      code: 'class Mutex { get held() { return Atomics.load(this.words, 0) !== 0; } }',
      errors: [{ messageId: 'hidden', data: { where: 'accessor' } }],
    },
    {
      code: 'class Mutex { set word(value) { if (value) { Atomics.store(this.words, 0, value); } } }',
      errors: [{ messageId: 'hidden', data: { where: 'accessor' } }],
    },
    {
      code: 'const word = { get value() { return Atomics.load(words, 0); } };',
      errors: [{ messageId: 'hidden', data: { where: 'accessor' } }],
    },
    {
      code: 'class Mutex { ticket = Atomics.add(words, 0, 1); }',
      errors: [{ messageId: 'hidden', data: { where: 'field initializer' } }],
    },
  ],
});

tester.run('atomics-in-view', rules['atomics-in-view'], {
  valid: [
    'Atomics.load(words, 0);',
    'Atomics.waitAsync(words, 0, 1).value;',
    '(Atomics.waitAsync as WaitAsync)(words, 0, 1).value;',
    '(Atomics as { pause?: () => void }).pause?.();',
    'const pause = (Atomics as { pause?: () => void }).pause;',
    "const canPause = 'pause' in Atomics;",
    "const canWait = typeof Atomics !== 'undefined';",
    'type Operations = typeof Atomics;',
    'const mine = { Atomics: 1 }; mine.Atomics;',
  ],
  invalid: [
    { code: 'const { load } = Atomics;', errors: [{ messageId: 'alias' }] },
    { code: 'const waitAsync = Atomics.waitAsync as WaitAsync;', errors: [{ messageId: 'alias' }] },
    { code: 'const load = Atomics.load;', errors: [{ messageId: 'alias' }] },
    { code: 'const A = Atomics as any;', errors: [{ messageId: 'alias' }] },
    { code: 'Atomics[operation](words, 0);', errors: [{ messageId: 'alias' }] },
    { code: 'words.map(Atomics.load);', errors: [{ messageId: 'alias' }] },
    { code: 'spy(Atomics);', errors: [{ messageId: 'alias' }] },
    { code: 'const facade = { Atomics };', errors: [{ messageId: 'alias' }] },
  ],
});

const inSource = (file: string): string => path.join(process.cwd(), 'src', file);
const options = [
  {
    rooms: {
      'index.ts': ['*'],
      primitives: ['space', 'parker', 'errors.ts'],
      space: ['errors.ts'],
      parker: ['native.ts'],
      manager: [],
      backends: ['manager/backend.ts'],
      'errors.ts': [],
    },
  },
];

tester.run('layers', rules.layers, {
  valid: [
    { code: "export { Mutex } from './primitives/mutex.js';", filename: inSource('index.ts'), options },
    {
      code: "import { Space } from '../space/space.js';",
      filename: inSource('primitives/mutex.ts'),
      options,
    },
    { code: "import { Threads } from './threads.js';", filename: inSource('space/space.ts'), options },
    { code: "import { connect } from './script/connect.js';", filename: inSource('space/space.ts'), options },
    { code: "import { load } from '../native.js';", filename: inSource('parker/process.ts'), options },
    { code: "import { once } from 'node:events';", filename: inSource('errors.ts'), options },
    {
      code: "import { Backend } from '../../manager/backend.js';",
      filename: inSource('backends/redis/lock.ts'),
      options,
    },
  ],
  invalid: [
    {
      code: "import { Mutex } from '../primitives/mutex.js';",
      filename: inSource('space/space.ts'),
      options,
      errors: [
        {
          message: 'space must not import primitives/mutex.ts; it may import errors.ts.',
        },
      ],
    },
    {
      code: "import type { Mutex } from '../primitives/mutex.js';",
      filename: inSource('manager/manager.ts'),
      options,
      errors: [{ messageId: 'direction' }],
    },
    {
      code: "export * from '../space/space.js';",
      filename: inSource('parker/parker.ts'),
      options,
      errors: [{ messageId: 'direction' }],
    },
    {
      code: "export { Space } from '../space/space.js';",
      filename: inSource('parker/parker.ts'),
      options,
      errors: [{ messageId: 'direction' }],
    },
    {
      code: "const { Space } = await import('../space/space.js');",
      filename: inSource('parker/parker.ts'),
      options,
      errors: [{ messageId: 'direction' }],
    },
    {
      code: "let space: import('../space/space.js').Space;",
      filename: inSource('parker/parker.ts'),
      options,
      errors: [{ messageId: 'direction' }],
    },
    {
      code: "import { LockManager } from '../manager/manager.js';",
      filename: inSource('backends/memory.ts'),
      options,
      errors: [{ messageId: 'direction' }],
    },
    {
      code: "import './index.js';",
      filename: inSource('errors.ts'),
      options,
      errors: [{ message: 'errors.ts must not import index.ts; it may import nothing.' }],
    },
    {
      code: "import facade from '#facade';",
      filename: inSource('errors.ts'),
      options,
      errors: [{ messageId: 'direction' }],
    },
    {
      code: "import { createClient } from 'redis';",
      filename: inSource('backends/redis/lock.ts'),
      options,
      errors: [{ messageId: 'package' }],
    },
    {
      code: "import data from '../package.json';",
      filename: inSource('index.ts'),
      options,
      errors: [{ messageId: 'outside' }],
    },
    {
      code: 'export const answer = 42;',
      filename: inSource('attic/answer.ts'),
      options,
      errors: [{ messageId: 'unknownRoom' }],
    },
  ],
});

tester.run('no-catch-all-file', rules['no-catch-all-file'], {
  valid: [
    { code: '', filename: inSource('deadline.ts') },
    { code: '', filename: inSource('space/waiters.ts') },
  ],
  invalid: [
    { code: '', filename: inSource('utils.ts'), errors: [{ message: /^"utils" says nothing/ }] },
    { code: '', filename: inSource('space/types.ts'), errors: [{ messageId: 'catchAll' }] },
    { code: '', filename: inSource('helpers/clock.ts'), errors: [{ messageId: 'catchAll' }] },
  ],
});
