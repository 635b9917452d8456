import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is sent on it arrives late, and in the order in which it was sent. */
class Line {
  #socket;
  #last = Promise.resolve();
  #underWay = 0;

  constructor(socket) {
    this.#socket = socket;
  }

  send(data, delay) {
    if (delay === 0 && this.#underWay === 0) {
      this.#socket.write(data);
      return;
    }
    this.#underWay++;
    const delayed = sleep(delay);
    this.#last = this.#last
      .then(() => delayed)
      .then(() => {
        this.#underWay--;
        this.#socket.write(data);
      });
  }
}

/** A line between a client and a server that can be made to fail. */
export class FaultProxy {
  /** Milliseconds by which replies are late. */
  delay = 0;
  /** Requests get lost on the way. */
  dropsRequests = false;
  /** Requests arrive, their replies get lost. */
  swallowsReplies = false;
  /** Nobody is connected any more. */
  refuses = false;
  /** How many connections there have been. */
  accepted = 0;
  #server;
  /** @type {Set<import('node:net').Socket>} */
  #sockets = new Set();

  /** @private @param {number} target the server's port */
  constructor(target) {
    this.#server = createServer((socket) => {
      if (this.refuses) {
        socket.destroy();
        return;
      }
      this.accepted++;
      const upstream = connect(target, '127.0.0.1');
      const replies = new Line(socket);
      this.#join(socket, upstream);
      socket.on('data', (data) => {
        if (!this.dropsRequests) upstream.write(data);
      });
      upstream.on('data', (data) => {
        if (this.swallowsReplies) return;
        replies.send(data, this.delay);
      });
    });
  }

  /** @param {number} target the server's port */
  static async start(target) {
    const proxy = new FaultProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port() {
    return this.#server.address().port;
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** How many clients are connected. */
  get connections() {
    return this.#sockets.size / 2;
  }

  /** Ends all connections; what comes back on them is lost. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** As if nothing had been. */
  heal() {
    this.delay = 0;
    this.dropsRequests = this.swallowsReplies = this.refuses = false;
  }

  async end() {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #join(...pair) {
    for (const socket of pair) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        for (const other of pair) other.destroy();
      });
    }
  }
}
