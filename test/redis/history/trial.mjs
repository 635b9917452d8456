/** One trial: a server or several, workers that contend behind lines that fail, and what they recorded. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Random } from '../../stress/random.mjs';
import { trouble } from './nemesis.mjs';
import { Recorder, readHistory } from './record.mjs';
import { startSite } from './sites.mjs';

const program = fileURLToPath(new URL('./worker.mjs', import.meta.url));
/**
 * @typedef {object} TrialOptions
 * @property {number} seed of the choices; what the machine does with them differs each time
 * @property {number} seconds with faults
 * @property {string} [kind] what they contend for, see locks.mjs
 * @property {boolean} [forgets] may a server lose what it knows?
 * @property {number} [servers] independent ones; of more than one they make a lock together
 * @property {string[]} [faults] what goes wrong; by default all that nemesis.mjs knows
 * @property {number} [workers] processes at a time
 * @property {number} [ttl]
 * @property {number} [calm] milliseconds without faults after that
 * @property {number} [patience] milliseconds that workers then have to finish
 */

/** The history of a trial. @param {TrialOptions} options @returns {Promise<any[]>} */
export async function trial({ seed, seconds, kind = 'mortise', forgets = false, ...more }) {
  const { servers: count = 1, workers = 5, ttl = 400, calm = 1500, patience = 10_000, faults } = more;
  const folder = mkdtempSync(path.join(tmpdir(), 'mortise-history-'));
  const site = await startSite(kind, { forgets, count });
  const crew = new Crew({ folder, site, kind, ttl, random: new Random(seed) });
  try {
    await crew.start(workers);
    const { random } = crew;
    const record = (type, values) => crew.recorder.write(type, values);
    const anyWorker = () => crew.anyWorker();
    await trouble({ site, random, ttl, forgets, faults, record, anyWorker }, seconds);
    record('healed');
    await sleep(calm);
    await crew.end(patience);
    return readHistory(crew.files);
  } finally {
    await crew.kill();
    await site.end();
    rmSync(folder, { recursive: true });
  }
}

class Crew {
  files = [];
  workers = [];
  #setting;
  #started = 0;
  #resources = new Map();
  #lastHolder;

  constructor(setting) {
    this.#setting = setting;
    this.random = setting.random;
    this.recorder = new Recorder(this.#newFile(), {});
  }

  /** Rather one that holds a lock: it is the one that faults are for. */
  anyWorker() {
    const holder = this.workers.find(({ name }) => name === this.#lastHolder);
    return holder !== undefined && this.random.chance(0.6) ? holder : this.random.pick(this.workers);
  }

  async start(count) {
    const { site } = this.#setting;
    const lines = await Promise.all(Array.from({ length: count }, () => site.newLines()));
    this.workers = lines.map((own) => new Worker(this, own));
    await Promise.all(this.workers.map((worker) => worker.start()));
  }

  /** Lets all finish what they do. Whoever does not is known by what is missing in the history. */
  async end(patience) {
    const ended = Promise.all(this.workers.map((worker) => worker.end()));
    await Promise.race([ended, sleep(patience, undefined, { ref: false })]);
  }

  async kill() {
    await Promise.all(this.workers.map((worker) => worker.discard()));
  }

  newSetting(urls) {
    const { kind, ttl } = this.#setting;
    const number = this.#started++;
    const seed = this.random.below(2 ** 31);
    return { file: this.#newFile(), worker: `worker ${number}`, number, seed, kind, urls, ttl };
  }

  /** What the locks protect: numbers, each of which refuses a fence that is smaller than one it has seen. */
  answer({ op, lock, fence, write, question }) {
    this.#lastHolder = op.split('/')[0];
    const resource = this.#resources.get(lock) ?? { value: 0, largest: 0n };
    this.#resources.set(lock, resource);
    const accepted = BigInt(fence) >= resource.largest;
    if (accepted) {
      resource.largest = BigInt(fence);
      resource.value = write ?? resource.value;
    }
    this.recorder.write('resource', { op, lock, fence, write, accepted });
    return { question, accepted, value: resource.value };
  }

  #newFile() {
    const file = path.join(this.#setting.folder, `${this.files.length}.jsonl`);
    this.files.push(file);
    return file;
  }
}

/** A process with a line of its own to each server. Another one takes its place when it is killed. */
class Worker {
  #crew;
  #child;
  name;
  #isMeantToEnd = false;

  constructor(crew, proxies) {
    this.#crew = crew;
    this.proxies = proxies;
  }

  async start() {
    const setting = this.#crew.newSetting(this.proxies.map(({ url }) => url));
    this.name = setting.worker;
    this.#isMeantToEnd = false;
    const child = fork(program, [JSON.stringify(setting)]);
    this.#child = child;
    child.on('message', (message) => {
      if (message !== 'ready' && child.connected) child.send(this.#crew.answer(message));
    });
    child.on('exit', (code) => {
      if (!this.#isMeantToEnd)
        this.#crew.recorder.write('problem', { what: `${setting.worker} ended with ${code}` });
    });
    await Promise.race([once(child, 'message'), once(child, 'exit')]);
  }

  pause() {
    this.#child.kill('SIGSTOP');
  }

  resume() {
    this.#child.kill('SIGCONT');
  }

  async replace() {
    this.#crew.recorder.write('killed', { worker: this.name });
    await this.#kill();
    await this.start();
  }

  async end() {
    this.#isMeantToEnd = true;
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.send('end');
    await exited;
  }

  async discard() {
    await this.#kill();
    await Promise.all(this.proxies.map((proxy) => proxy.end()));
  }

  async #kill() {
    this.#isMeantToEnd = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
