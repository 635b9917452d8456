// One of the processes of processes.mjs: node contending-process.mjs PORT KIND NAME SECONDS
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, kindOf } from './kinds.mjs';

const [port, kind, name, seconds] = process.argv.slice(2);
const client = connect({ port: Number(port) });
let commands = 0;
const send = client.sendCommand.bind(client);
client.sendCommand = (...words) => {
  commands++;
  return send(...words);
};

const maker = await kindOf(kind, [client]);
process.send(maker === null ? 'missing' : 'ready');
await once(process, 'message');
const acquire = maker(name);
const waits = [];
commands = 0;
for (const end = performance.now() + Number(seconds) * 1000; performance.now() < end;) {
  const begin = performance.now();
  const release = await acquire();
  waits.push(performance.now() - begin);
  await sleep(10);
  await release();
  await sleep(30);
}
process.send({ waits, commands });
