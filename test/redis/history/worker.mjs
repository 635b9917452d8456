/**
 * A process that wants locks: acquires one, changes what it protects, and lets go, again and again, and records all of it.
 * It never looks whether it still holds the lock before it writes: the resource has to refuse what is stale.
 * node worker.mjs '{ "file", "worker", "number", "seed", "kind", "urls", "ttl" }'
 */
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../stress/random.mjs';
import { subjectsOf } from './locks.mjs';
import { Recorder, now } from './record.mjs';

const setting = JSON.parse(process.argv[2]);
const { file, worker, seed, ttl } = setting;
const recorder = new Recorder(file, { worker });
const random = new Random(seed);
const asked = new Map();
let isEnding = false;
let operations = 0;

for (const event of ['uncaughtException', 'unhandledRejection'])
  process.on(event, (error) => {
    recorder.write('problem', { what: `${worker}: ${event}: ${error?.stack ?? error}` });
    process.exit(1);
  });
process.on('message', (message) => {
  if (message === 'end') isEnding = true;
  else asked.get(message.question)?.(message);
});

/** What the resource says to a read, or to a write of a new value. */
function ask(what) {
  const question = asked.size;
  return new Promise((resolve) => {
    asked.set(question, resolve);
    process.send({ ...what, question });
  });
}

/** Says for how long it can prove that it holds the lock. The clock is read first: it never says too much. */
function claim(type, op, lease, values) {
  const at = now();
  const { remaining } = lease;
  if (type === 'acquired' || remaining > 0)
    recorder.write(type, { at, op, until: at + remaining, ...values });
}

async function round({ lock, weight, capacity, fenced, acquire }) {
  const op = `${worker}/${++operations}`;
  const timeout = random.chance(0.15) ? 1 + random.below(300) : undefined;
  recorder.write('invoke', { op, lock, weight, capacity, fenced, timeout });
  let lease;
  try {
    lease = await acquire(timeout === undefined ? {} : { timeout });
  } catch (error) {
    recorder.write('failed', { op, code: error.code ?? String(error) });
    return;
  }
  const fence = String(lease.fence);
  claim('acquired', op, lease, { ttl, fence });
  lease.signal.addEventListener('abort', () => recorder.write('lost', { op }));

  const isWriter = fenced && weight === capacity;
  const { accepted, value } = isWriter ? await ask({ op, lock, fence }) : {};
  const end = now() + (random.chance(0.1) ? ttl * 2 * random.next() : 20 * random.next());
  do {
    await sleep(Math.min(20, Math.max(1, end - now())));
    claim('claim', op, lease);
  } while (now() < end && !lease.signal.aborted);
  if (accepted) await ask({ op, lock, fence, write: value + 1 });

  recorder.write('release', { op });
  const ok = await lease.release().catch(() => null);
  recorder.write('released', { op, ok });
}

const subjects = await subjectsOf(setting);
process.send('ready');
while (!isEnding) {
  await round(random.pick(subjects));
  await sleep(30 * random.next());
}
process.exit(0);
