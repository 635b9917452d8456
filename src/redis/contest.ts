/** Where the requests of all objects meet that stand for the same lock. */
import type { Side } from '../remote/contender.js';
import type { Contest } from '../remote/contest.js';
import type { Client } from './client.js';
import { isPassing } from './failure.js';

/** Milliseconds after which a waiter looks by itself at the latest: a message may have been lost. */
const LOOK = 1000;

/** A contest at one server. */
export function contestAt({ driver, identity, subscriber, contenders }: Client, key: string): Contest {
  const side: Side = {
    nextToken: (weight) => identity.nextToken(weight),
    waker: subscriber,
    isPassing,
    look: LOOK,
    isClosed: () => driver.isClosed(),
  };
  return { key, side, contenders, mainstays: [driver] };
}

/** A contest at several servers together, of which more than half decide: nobody is woken. */
export function contestAtAll(clients: readonly [Client, ...Client[]], key: string): Contest {
  const ids = clients.map(({ identity }) => identity.id);
  const drivers = clients.map(({ driver }) => driver);
  const side: Side = {
    nextToken: (weight) => clients[0].identity.nextToken(weight),
    waker: null,
    isPassing,
    look: LOOK,
    isClosed: () => drivers.filter((driver) => driver.isClosed()).length * 2 >= clients.length,
  };
  return { key: [key, ...ids].join(' '), side, contenders: clients[0].contenders, mainstays: drivers };
}
