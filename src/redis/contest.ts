/** Where the requests of all objects meet that stand for the same lock. */
import type { Client } from './client.js';
import { Contender, type Side } from './contender.js';
import type { Driver } from './driver.js';

export interface Contest {
  readonly key: string;
  readonly side: Side;
  /** By key; those whom somebody waits for, and a few that are idle. */
  readonly contenders: Map<string, Contender>;
  /** What a hold depends on; see `driver.ts`. */
  readonly drivers: readonly Driver[];
}

/** Contenders of one client that are kept though nobody waits: to make one takes a part of the time of a pair. */
const MOST_IDLE = 64;

export function contenderOf({ key, side, contenders }: Contest): Contender {
  const known = contenders.get(key);
  if (known !== undefined) return known;
  const contender = new Contender(side, () => {
    if (contenders.size > MOST_IDLE && contenders.get(key) === contender) contenders.delete(key);
  });
  contenders.set(key, contender);
  return contender;
}

/** A contest at one server. */
export function contestAt({ driver, identity, subscriber, contenders }: Client, key: string): Contest {
  const side: Side = {
    nextToken: (weight) => identity.nextToken(weight),
    waker: subscriber,
    isClosed: () => driver.isClosed(),
  };
  return { key, side, contenders, drivers: [driver] };
}

/** A contest at several servers together, of which more than half decide: nobody is woken. */
export function contestAtAll(clients: readonly [Client, ...Client[]], key: string): Contest {
  const ids = clients.map(({ identity }) => identity.id);
  const drivers = clients.map(({ driver }) => driver);
  const side: Side = {
    nextToken: (weight) => clients[0].identity.nextToken(weight),
    waker: null,
    isClosed: () => drivers.filter((driver) => driver.isClosed()).length * 2 >= clients.length,
  };
  return { key: [key, ...ids].join(' '), side, contenders: clients[0].contenders, drivers };
}
