/** One client, as all locks that were given it share it. */
import type { Contender } from '../remote/contender.js';
import type { Driver } from './driver.js';
import { Subscriber } from './subscriber.js';
import { Identity } from './token.js';

export class Client {
  readonly driver: Driver;
  readonly identity: Identity = new Identity();
  readonly subscriber: Subscriber;
  /** By key: who waits for what, in this process. */
  readonly contenders: Map<string, Contender> = new Map();

  private constructor(driver: Driver) {
    this.driver = driver;
    this.subscriber = new Subscriber(driver, this.identity.channel);
  }

  static readonly #clients = new WeakMap<Driver, Client>();

  static of(driver: Driver): Client {
    let it = Client.#clients.get(driver);
    if (it === undefined) {
      it = new Client(driver);
      Client.#clients.set(driver, it);
    }
    return it;
  }
}
