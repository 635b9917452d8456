/** A system clock of its own for processes that are started with `env`: see stepped-clock.c. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOUR = 3600;

export class SteppedClock {
  readonly env: NodeJS.ProcessEnv;
  readonly #folder: string;
  readonly #file: number;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'mortise-clock-'));
    const library = join(this.#folder, 'stepped-clock.so');
    const source = fileURLToPath(new URL('./stepped-clock.c', import.meta.url));
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
    const setting = join(this.#folder, 'clock');
    this.#file = openSync(setting, 'w');
    this.env = { LD_PRELOAD: library, STEPPED_CLOCK: setting };
    this.step(0);
  }

  /** Sets it that much ahead of the true one. */
  step(hours: number): void {
    this.#set(BigInt(hours * HOUR), 0n);
  }

  /** Stops it at that time. */
  standAt(microseconds: number): void {
    this.#set(0n, BigInt(microseconds));
  }

  end(): void {
    closeSync(this.#file);
    rmSync(this.#folder, { recursive: true });
  }

  /** In place: it is mapped. */
  #set(ahead: bigint, stands: bigint): void {
    writeSync(this.#file, new BigInt64Array([ahead, stands]), 0, null, 0);
  }
}
