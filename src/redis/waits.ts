/** What the threads that use one server tell each other of their waits: one key, read and written in one round trip. */
import { answerWithin } from '../remote/failure.js';
import type { Client } from './client.js';
import { keyOf, type RedisOptions } from './options.js';
import { WAITS } from './script.js';
import { clientOf } from './servers.js';
import type { Wait } from './subscriber.js';

/** What another thread has told. */
export interface TextOfThread {
  /** Where it can be called. */
  readonly address: string;
  readonly text: string;
}

/** What others have told, and the number of the exchange: those of later ones are greater, whoever makes them. */
export interface Exchanged {
  readonly number: number;
  readonly texts: readonly TextOfThread[];
}

/** What one thread has to say. */
export interface Telling {
  /** Replaces what it has told; undefined takes it back. */
  readonly text: string | undefined;
  /** Milliseconds for which others hear it. */
  readonly lifetime: number;
  /** Addresses of those who shall tell anew. */
  readonly asked: readonly string[];
  /** Addresses of those who have asked. */
  readonly answered: readonly string[];
}

/** Another thread has called, in the exchange with this number. */
export interface Call {
  readonly number: number;
  readonly from: string;
  /** Else it has answered. */
  readonly isAsking: boolean;
}

/** Milliseconds after which no answer is waited for. */
const PATIENCE = 2000;

/** One thread at one server. */
export class WaitsLine {
  readonly #client: Client;
  readonly #address: string;
  readonly #keys: string[];

  /** @throws whatever is wrong with the client. */
  constructor(options: RedisOptions) {
    this.#client = clientOf(options);
    this.#address = this.#client.identity.nextToken();
    this.#keys = [keyOf('deadlocks', 'waits', options.prefix)];
  }

  get isListening(): boolean {
    return this.#client.subscriber.isListening;
  }

  /** From now on calls are heard, as soon as there is a connection for them; returns what ends that. */
  listen(hear: (call: Call) => void): () => void {
    const { subscriber } = this.#client;
    const wait: Wait = {
      place: -1,
      token: this.#address,
      wake(message) {
        const [number, caller = ''] = message.split(' ');
        hear({ number: Number(number), from: caller.slice(1), isAsking: caller.startsWith('?') });
      },
    };
    subscriber.keep(wait);
    void subscriber.open();
    return () => subscriber.delete(wait);
  }

  /** @throws whatever goes wrong with the server or the client. */
  exchange({ text = '', lifetime, asked, answered }: Telling): Promise<Exchanged> {
    const calls = [...asked.map((it) => `?${it}`), ...answered.map((it) => `!${it}`)];
    const args = [this.#address, text, String(lifetime), ...calls];
    return answerWithin(this.#client.driver.run(WAITS, this.#keys, args, exchangedOf), PATIENCE);
  }
}

function exchangedOf(reply: unknown): Exchanged {
  const [number, ...told] = (reply as unknown[]).map(String);
  const texts: TextOfThread[] = [];
  for (let at = 0; at < told.length; at += 2)
    texts.push({ address: told[at] as string, text: told[at + 1] as string });
  return { number: Number(number), texts };
}
