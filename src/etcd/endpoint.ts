/** One member of an etcd cluster, by its JSON gateway: requests, and streams of answers. */
import http from 'node:http';
import https from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { answerWithin } from '../remote/failure.js';
import { CODE, EtcdError } from './refusal.js';

/** What TLS needs beyond the system's own certificates. */
export interface EtcdTls extends Pick<SecureContextOptions, 'ca' | 'cert' | 'key' | 'passphrase'> {
  /** The name in the server's certificate, if it is not that of the endpoint. */
  servername?: string;
  /** `false` believes any server: for tests only. Default true. */
  rejectUnauthorized?: boolean;
}

/** Refused at once by a member that knows no leader, instead of after seconds. */
const NEEDS_LEADER = { 'Grpc-Metadata-Hasleader': 'true' };

interface Stream {
  /** Each message as it comes. */
  readonly onMessage: (message: Record<string, unknown>) => void;
  /** Once: it has ended, and why. */
  readonly onEnd: (reason: EtcdError) => void;
}

export class Endpoint {
  readonly url: string;
  readonly #options: http.RequestOptions;
  readonly #request: typeof http.request;
  readonly #agent: http.Agent;
  /** Streams end with their connection: those of requests stay open meanwhile. */
  readonly #streams: http.Agent;

  constructor(url: URL, tls: EtcdTls | undefined) {
    this.url = url.origin;
    const isSecure = url.protocol === 'https:';
    this.#request = isSecure ? https.request : http.request;
    const agent = (keepAlive: boolean): http.Agent => {
      const options = { keepAlive, noDelay: true };
      return isSecure ? new https.Agent({ ...tls, ...options }) : new http.Agent(options);
    };
    this.#agent = agent(true);
    this.#streams = agent(false);
    const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
    this.#options = { hostname, port: url.port || (isSecure ? 443 : 80), method: 'POST' };
  }

  /**
   * Its answer within `patience` ms. What got none may have been carried out, or may be yet. `isQuiet` keeps no process
   * alive.
   * @throws EtcdError
   */
  async ask(path: string, body: object, patience: number, token: string, isQuiet: boolean): Promise<unknown> {
    let abandon = (): void => {};
    const answer = new Promise((resolve, reject) => {
      const request = this.#send(path, [body], token, isQuiet, this.#agent, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('error', (error) => reject(this.#broken(error)));
        response.on('end', () => {
          try {
            resolve(this.#parsed(response.statusCode, text));
          } catch (error) {
            reject(error instanceof Error ? error : this.#broken(new Error(String(error))));
          }
        });
      });
      request.on('error', (error) => {
        const broken = this.#broken(error);
        broken.wasIdle = request.reusedSocket;
        reject(broken);
      });
      abandon = () => void request.destroy();
    });
    try {
      return await answerWithin(answer, patience);
    } catch (error) {
      abandon();
      throw error instanceof EtcdError ? error : this.#broken(error as Error);
    }
  }

  /** Messages, as answers to those that are sent, until it ends; returns what ends it. Keeps no process alive. */
  listen(path: string, bodies: readonly object[], token: string, { onMessage, onEnd }: Stream): () => void {
    let isOver = false;
    const end = (reason: EtcdError): void => {
      if (isOver) return;
      isOver = true;
      request.destroy();
      onEnd(reason);
    };
    const request = this.#send(path, bodies, token, true, this.#streams, (response) => {
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        const lines = (rest + part).split('\n');
        rest = lines.pop() ?? '';
        try {
          // A listener may end it at any message.
          for (const line of lines) if (!isOver && line !== '') onMessage(this.#result(response, line));
        } catch (error) {
          end(error instanceof EtcdError ? error : this.#broken(error as Error));
        }
      });
      response.on('error', (error) => end(this.#broken(error)));
      response.on('end', () => end(new EtcdError(this.url, 'the stream has ended')));
    });
    request.on('error', (error) => end(this.#broken(error)));
    return () => {
      isOver = true;
      request.destroy();
    };
  }

  /** Ends all that is under way. */
  close(): void {
    this.#agent.destroy();
    this.#streams.destroy();
  }

  #send(
    path: string,
    bodies: readonly object[],
    token: string,
    isQuiet: boolean,
    agent: http.Agent,
    onResponse: (response: http.IncomingMessage) => void,
  ): http.ClientRequest {
    const text = bodies.map((body) => JSON.stringify(body)).join('\n');
    const headers: http.OutgoingHttpHeaders = {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
      ...NEEDS_LEADER,
    };
    if (token !== '') headers['Authorization'] = token;
    const request = this.#request({ ...this.#options, agent, path, headers }, onResponse);
    request.on('socket', (socket) => {
      if (isQuiet) socket.unref();
      else socket.ref();
    });
    request.end(text);
    return request;
  }

  #result(response: http.IncomingMessage, line: string): Record<string, unknown> {
    const { result } = this.#parsed(response.statusCode, line) as { result?: Record<string, unknown> };
    return result ?? {};
  }

  #parsed(status: number | undefined, text: string): unknown {
    let answer: {
      error?: string | { message?: string; grpc_code?: number };
      message?: string;
      code?: number;
    };
    try {
      answer = JSON.parse(text) as typeof answer;
    } catch {
      throw new EtcdError(this.url, `this is not etcd's JSON gateway: HTTP status ${status}`, CODE.unknown);
    }
    const { error } = answer;
    if (typeof error === 'object') throw new EtcdError(this.url, error.message ?? '', error.grpc_code);
    if (error !== undefined || status !== 200)
      throw new EtcdError(
        this.url,
        error ?? answer.message ?? `HTTP status ${status}`,
        answer.code ?? CODE.unknown,
      );
    return answer;
  }

  #broken(error: Error): EtcdError {
    // Of several addresses of a name, each has its reason.
    const errors = error instanceof AggregateError ? (error.errors as Error[]) : [error];
    return new EtcdError(this.url, errors.map(reasonOf).join(', '), undefined, {
      cause: error,
    });
  }
}

/** OpenSSL's messages say where in its source something went wrong, and beside it what. */
function reasonOf(error: Error & { reason?: string }): string {
  return error.message.includes(':SSL routines:') ? `TLS: ${error.reason}` : error.message;
}
