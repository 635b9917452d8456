/**
 * Connections of our own, for those who have no client: one for each URL, opened with the first request, and closed a while
 * after nobody depends on it. Between requests it keeps no process alive.
 *
 * A server that says nothing for some seconds while it is asked, as one does whose machine is gone, has lost the
 * connection: what was asked fails then, and the next request opens another one.
 */
import { setImmediate } from 'node:timers';
import { alarmIn, stopAlarm, type Alarm } from '../remote/alarm.js';
import { clientMaker } from './client-package.js';
import type { Driver } from './driver.js';
import type { OwnClient } from './own-client.js';
import type { Script } from './script.js';

/** Milliseconds for which it stays open without use. More than those who wait take between two looks. */
const LINGER = 2000;
/** Milliseconds without an answer after which it is given up. */
const SILENCE = 5000;

class OwnConnection implements Driver {
  readonly #make: () => OwnClient;
  #client: OwnClient | null = null;
  /** How many requests are under way. */
  #requests = 0;
  /** How many holds depend on it between requests. */
  #keepers = 0;
  #answers = 0;
  #alarm: Alarm | null = null;

  constructor(make: () => OwnClient) {
    this.#make = make;
  }

  run<T>(script: Script, keys: string[], args: string[], read: (reply: unknown) => T): Promise<T> {
    return this.#ask((driver) => driver.run(script, keys, args, read));
  }

  replicas(count: number, timeout: number): Promise<number> {
    return this.#ask(async (driver) => (await driver.replicas?.(count, timeout)) ?? 0);
  }

  async #ask<T>(question: (driver: Driver) => Promise<T>): Promise<T> {
    const client = this.#begin();
    try {
      await client.connected;
      return await question(client.driver);
    } finally {
      this.#end();
    }
  }

  /** Those who listen wait as well, and ask again and again. */
  async subscribe(channel: string, onMessage: (message: string) => void): Promise<() => Promise<unknown>> {
    const client = this.#open();
    await client.connected;
    return client.driver.subscribe(channel, onMessage);
  }

  isClosed(): boolean {
    return false;
  }

  keep(): () => void {
    this.#keepers++;
    // What depends on it will ask in time, and not only begin to connect then.
    this.#open().setReferenced(this.#requests > 0);
    return () => {
      this.#keepers--;
      if (this.#requests === 0) this.#rest();
    };
  }

  #begin(): OwnClient {
    const isUsed = this.#requests++ > 0 && this.#client !== null;
    const client = this.#open();
    if (!isUsed) {
      client.setReferenced(true);
      this.#watch(client);
    }
    return client;
  }

  #open(): OwnClient {
    if (this.#client !== null) return this.#client;
    const client = this.#make();
    client.connected.catch(() => this.#drop(client));
    return (this.#client = client);
  }

  #end(): void {
    this.#answers++;
    if (--this.#requests === 0) this.#rest();
  }

  /** Gives it up if no answer comes, not even one that was to be read while the event loop was blocked. */
  #watch(client: OwnClient): void {
    const answers = this.#answers;
    this.#stopAlarm();
    this.#alarm = alarmIn(SILENCE, () => {
      setImmediate(() => {
        if (this.#requests === 0 || this.#client !== client) return;
        if (this.#answers === answers) this.#drop(client);
        else this.#watch(client);
      });
    });
  }

  /** Nothing is asked now. */
  #rest(): void {
    this.#stopAlarm();
    const client = this.#client;
    client?.setReferenced(false);
    if (client === null || this.#keepers > 0) return;
    this.#alarm = alarmIn(LINGER, () => this.#drop(client));
  }

  #stopAlarm(): void {
    if (this.#alarm !== null) stopAlarm(this.#alarm);
  }

  #drop(client: OwnClient): void {
    if (this.#client !== client) return;
    this.#client = null;
    client.close();
  }
}

const connections = new Map<string, OwnConnection>();

/** The driver of a URL, always the same one. @throws Error in one sentence if no package of a client is installed. */
export function driverOfUrl(url: string): Driver {
  let connection = connections.get(url);
  if (connection === undefined) {
    const make = clientMaker();
    connection = new OwnConnection(() => make(url));
    connections.set(url, connection);
  }
  return connection;
}
