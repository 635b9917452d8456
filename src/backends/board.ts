/** What processes tell each other of their waits: a file of each thread that waits, in one folder. */
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { Board, Told } from '../deadlocks/census.js';

const OWN = `${process.pid}.${threadId}`;
const SUFFIX = '.json';
/** Milliseconds after which a file is one that the dead have left. */
const LIFETIME = 60_000;

/** What this thread has to remove when it ends. */
const published = new Set<FileBoard>();
let isListening = false;

function atExit(board: FileBoard): void {
  published.add(board);
  if (isListening) return;
  isListening = true;
  process.once('exit', () => {
    for (const one of published) one.publish(undefined);
  });
}

/** What goes wrong with the files keeps nobody from locking: deadlocks with others are not found then. */
export class FileBoard implements Board {
  readonly #folder: string;
  readonly #file: string;
  #isPublished = false;

  constructor(folder: string) {
    this.#folder = folder;
    this.#file = join(folder, `${OWN}${SUFFIX}`);
  }

  publish(text: string | undefined): void {
    if (text === undefined) {
      if (this.#isPublished) this.#withdraw();
      return;
    }
    try {
      if (!this.#isPublished) mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      // Made under another name first, so that nobody reads half of it.
      writeFileSync(`${this.#file}.new`, text, { mode: 0o600 });
      renameSync(`${this.#file}.new`, this.#file);
      this.#isPublished = true;
      atExit(this);
    } catch {
      // Another process may just have removed the folder: at the next look it is made again.
      this.#isPublished = false;
    }
  }

  read(): Told[] {
    return this.#files().flatMap((name) => {
      try {
        return [{ text: readFileSync(join(this.#folder, name), 'utf8'), at: undefined }];
      } catch {
        return []; // It has just been removed.
      }
    });
  }

  #withdraw(): void {
    this.#isPublished = false;
    published.delete(this);
    rmSync(this.#file, { force: true });
    for (const name of this.#files()) this.#removeOld(name);
    try {
      rmdirSync(this.#folder);
    } catch {
      // Others still have something in it.
    }
  }

  #removeOld(name: string): void {
    const file = join(this.#folder, name);
    try {
      if (Date.now() - statSync(file).mtimeMs > LIFETIME) rmSync(file);
    } catch {
      // Somebody else was faster.
    }
  }

  #files(): string[] {
    try {
      return readdirSync(this.#folder).filter((name) => name.endsWith(SUFFIX) && name !== `${OWN}${SUFFIX}`);
    } catch {
      return []; // Nobody has told anything yet.
    }
  }
}
