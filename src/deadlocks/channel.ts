/** What the threads of one process tell each other of their waits. */
import { BroadcastChannel } from 'node:worker_threads';
import type { OrderNews } from './order.js';
import type { Bulletin } from './wait.js';

/** A bulletin, or an order in which locks were acquired; null: whoever hears it shall tell his bulletin at once. */
type Message = Bulletin | OrderNews | null;

export interface Listener {
  heard(bulletin: Bulletin): void;
  asked(): void;
  learned(order: OrderNews): void;
}

/** The number changes with what is told, so that copies of another version talk among themselves. */
const NAME = 'mortise/deadlocks/1';

/** Opened when there is something to tell or to hear, and then for good; it keeps no thread alive. */
export class ThreadChannel {
  readonly #channel: BroadcastChannel;

  constructor(listener: Listener) {
    this.#channel = new BroadcastChannel(NAME);
    this.#channel.onmessage = (event: unknown) => {
      const { data } = event as { data: Message };
      if (data === null) listener.asked();
      else if ('order' in data) listener.learned(data);
      else listener.heard(data);
    };
    this.#channel.unref();
  }

  tell(news: Bulletin | OrderNews): void {
    this.#channel.postMessage(news);
  }

  ask(): void {
    this.#channel.postMessage(null);
  }
}
