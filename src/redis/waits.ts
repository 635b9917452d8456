/** What the threads that use one server tell each other of their waits: one key, read and written in one round trip. */
import { answerWithin } from '../remote/failure.js';
import { keyOf, type RedisOptions } from './options.js';
import { WAITS } from './script.js';
import { clientOf } from './servers.js';

/** What others have told, and the number of the call: those of later calls are greater, whoever makes them. */
export interface Exchanged {
  readonly number: number;
  readonly texts: readonly string[];
}

/** Milliseconds after which no answer is waited for. */
const PATIENCE = 2000;

/**
 * Replaces what `thread` has told; undefined takes it back. Others hear it for `lifetime` ms.
 * @throws whatever goes wrong with the server or the client.
 */
export async function exchangeWaits(
  options: RedisOptions,
  thread: string,
  text: string | undefined,
  lifetime: number,
): Promise<Exchanged> {
  const { driver } = clientOf(options);
  const keys = [keyOf('deadlocks', 'waits', options.prefix)];
  const args = [thread, text ?? '', String(lifetime)];
  const [number, ...texts] = (await answerWithin(driver.run(WAITS, keys, args), PATIENCE)) as unknown[];
  return { number: Number(number), texts: texts.map(String) };
}
