import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

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
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number) {
    this.#server = createServer((socket) => {
      if (this.refuses) {
        socket.destroy();
        return;
      }
      this.accepted++;
      const upstream = connect(target, '127.0.0.1');
      this.#join(socket, upstream);
      socket.on('data', (data) => {
        if (!this.dropsRequests) upstream.write(data);
      });
      upstream.on('data', (data) => {
        if (this.swallowsReplies) return;
        if (this.delay === 0) socket.write(data);
        else setTimeout(() => socket.write(data), this.delay);
      });
    });
  }

  static async start(target: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Ends all connections; what comes back on them is lost. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** As if nothing had been. */
  heal(): void {
    this.delay = 0;
    this.dropsRequests = this.swallowsReplies = this.refuses = false;
  }

  async end(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #join(...pair: [Socket, Socket]): void {
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
