/** The thread that renews holds while the event loop of those who hold them is busy: see `keeper.ts`. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { clientMaker } from './client-package.js';
import { Hold } from '../remote/hold.js';
import type { Answer, Order, StorePlan } from './keeper.js';
import { LockStore } from './lock-store.js';
import { driverOfUrl } from './own-connection.js';
import { PoolStore } from './pool-store.js';
import { QuorumStore } from './quorum-store.js';
import type { Store } from '../remote/store.js';

const port = workerData as MessagePort;
const holds = new Map<string, Hold>();

function answer(value: Answer): void {
  port.postMessage(value);
}

function keep({ token, plan, terms, sentAt }: Order & { do: 'keep' }): void {
  const drivers = plan.urls.map(driverOfUrl);
  const ends = drivers.map((driver) => driver.keep?.());
  const hold = new Hold(storeOf(plan), token, terms, sentAt, { taken: true, fence: 0n, abandoned: false });
  holds.set(token, hold);
  hold.onProven = (until) => answer({ token, until });
  hold.onEnd = (lost = '') => {
    for (const end of ends) end?.();
    if (holds.delete(token)) answer({ token, lost });
  };
}

async function extend({ token, ttl, question }: Order & { do: 'extend' }): Promise<void> {
  let failure: unknown = null;
  try {
    await holds.get(token)?.extend(ttl);
  } catch (error) {
    failure = error;
  }
  answer({ token, question, failure });
}

port.on('message', (order: Order) => {
  if (order.do === 'keep') keep(order);
  else if (order.do === 'extend') void extend(order);
  else {
    const hold = holds.get(order.token);
    holds.delete(order.token);
    hold?.leaveToExpire();
  }
});

clientMaker();
parentPort?.postMessage('ready');

function storeOf({ kind, description, urls, key, ttl }: StorePlan): Store {
  const drivers = urls.map(driverOfUrl);
  const stores = drivers.map((driver) =>
    kind === 'pool'
      ? new PoolStore(driver, description, key, 1, false)
      : new LockStore(driver, description, key),
  );
  return stores.length === 1
    ? (stores[0] as Store)
    : new QuorumStore(description, stores as LockStore[], ttl);
}
