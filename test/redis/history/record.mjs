/** What happened, as JSON lines in a file: nothing of it is lost with the process that wrote it. */
import { openSync, readFileSync, writeSync } from 'node:fs';
import process from 'node:process';

/** Milliseconds by a clock that all processes of a machine share and nobody can set: CLOCK_MONOTONIC. */
export function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}

export class Recorder {
  #file;
  #who;

  /** `who` stands in every line. */
  constructor(path, who) {
    this.#file = openSync(path, 'a');
    this.#who = who;
  }

  write(type, values = {}) {
    writeSync(this.#file, `${JSON.stringify({ at: now(), type, ...this.#who, ...values })}\n`);
  }
}

/** All that these files have, in the order of time. The last line of a process that was killed may be torn. */
export function readHistory(paths) {
  const events = paths.flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line) => {
        if (!line.endsWith('}')) return [];
        try {
          return [JSON.parse(line)];
        } catch {
          return [];
        }
      }),
  );
  return events.sort((a, b) => a.at - b.at);
}
