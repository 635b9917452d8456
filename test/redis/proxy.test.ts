import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../fixtures/until.ts';
import { FaultProxy } from './proxy.mjs';
import { RedisServer } from './server.mjs';

let server: RedisServer;
let proxy: FaultProxy;
let socket: Socket;

beforeEach(async () => {
  server = await RedisServer.start();
  proxy = await FaultProxy.start(server.port);
  socket = connect(proxy.port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
});
afterEach(async () => {
  socket.destroy();
  await proxy.end();
  await server.end();
});

async function ask(command: string): Promise<string> {
  socket.write(`${command}\r\n`);
  const [answer] = await once(socket, 'data');
  return String(answer);
}

test('passes requests and replies on', async () => {
  expect(await ask('SET a 1')).toBe('+OK\r\n');
  expect(await ask('GET a')).toBe('$1\r\n1\r\n');
});

test('delays replies', async () => {
  proxy.delay = 50;
  const begin = performance.now();
  expect(await ask('PING')).toBe('+PONG\r\n');
  expect(performance.now() - begin).toBeGreaterThan(48);
});

test('swallows replies to requests that arrive', async () => {
  proxy.swallowsReplies = true;
  let answers = 0;
  socket.on('data', () => answers++);
  socket.write('SET a 1\r\n');
  await until(async () => (await server.send('GET a')) === '$1\r\n1\r\n', 'it arrives');
  expect(answers).toBe(0);
});

test('drops requests', async () => {
  expect(await ask('PING')).toBe('+PONG\r\n');
  proxy.dropsRequests = true;
  socket.write('SET a 1\r\n');
  // Another connection goes the same way and is later.
  const later = connect(proxy.port, '127.0.0.1');
  later.end('SET b 1\r\n');
  await once(later, 'close');
  proxy.heal();
  expect(await ask('EXISTS a b')).toBe(':0\r\n');
});

test('cuts connections, and refuses them', async () => {
  expect(await ask('PING')).toBe('+PONG\r\n');
  proxy.refuses = true;
  const closed = once(socket, 'close');
  proxy.cut();
  await closed;
  await until(() => proxy.connections === 0, 'they are gone');
  const next = connect(proxy.port, '127.0.0.1').on('error', () => {});
  await once(next, 'close');
  proxy.heal();
  socket = connect(proxy.port, '127.0.0.1');
  expect(await ask('PING')).toBe('+PONG\r\n');
});
