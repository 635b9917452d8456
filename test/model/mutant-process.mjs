/**
 * A process that looks for mutants with a runner of its own: some of them make V8 give up, which ends all threads of
 * a process.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MutantRunner } from './mutant-runner.mjs';

const own = fileURLToPath(import.meta.url);

/** As `MutantRunner`, in another process. */
export class MutantProcess {
  #child = null;

  async look(file, mutant) {
    const child = (this.#child ??= fork(own, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }));
    child.send({ file, mutant });
    const done = new AbortController();
    const { signal } = done;
    try {
      const [found] = await Promise.race([
        once(child, 'message', { signal }),
        once(child, 'exit', { signal }).then(() => {
          this.#child = null;
          return [{ kind: 'endless', message: 'its process has died' }];
        }),
      ]);
      return found;
    } finally {
      done.abort();
    }
  }

  close() {
    this.#child?.disconnect();
  }
}

if (process.argv[1] === own) {
  const runner = new MutantRunner();
  process.on('message', async ({ file, mutant }) => {
    const found = await runner.look(file, mutant);
    process.send(found);
  });
  process.on('disconnect', () => runner.close());
}
