import { fork } from 'node:child_process';
import { once } from 'node:events';

/** A process of a benchmark, which is asked one thing after another. */
export class Child {
  #process;
  #ended;

  /** @param {URL} program @param {string[]} args @param {{ signal: AbortSignal, execArgv?: string[] }} options */
  constructor(program, args, { signal, execArgv = [] }) {
    this.#process = fork(program, args, {
      execArgv,
      serialization: 'advanced',
      signal,
      killSignal: 'SIGKILL',
    });
    this.#ended = once(this.#process, 'exit').then(([code, by]) => {
      signal.throwIfAborted();
      throw new Error(`a process of the benchmark ended without an answer (${code ?? by})`);
    });
    this.#ended.catch(() => {});
  }

  /** @param {unknown} request @returns {Promise<any>} its next message */
  async ask(request) {
    this.#process.send(request);
    const [answer] = await Promise.race([once(this.#process, 'message'), this.#ended]);
    return answer;
  }

  async kill() {
    this.#process.kill('SIGKILL');
    await this.#ended.catch(() => {});
  }
}

/**
 * In the child: answers each request.
 * @param {(request: any) => unknown} answer
 */
export function serve(answer) {
  process.on('message', async (request) => process.send((await answer(request)) ?? null));
}
