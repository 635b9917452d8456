import { LockManager, Mutex } from 'mortise';
import { median } from './median.mjs';

/**
 * Locks by name beside the primitive behind them, the same one, in batches that alternate; nanoseconds a pair. They are
 * counted if the argument is `statistics`.
 */
const pairs = 20_000;
const rounds = 50;
const warmUp = 8;

const name = 'bench';
const mutex = new Mutex({ name });
const statistics = process.argv[2] === 'statistics';
const locks = new LockManager({ statistics });
const limited = new LockManager({ statistics, timeouts: { lock: 60_000 } });

async function bare() {
  for (let i = 0; i < pairs; i++) (await mutex.acquire()).release();
}
async function byName() {
  for (let i = 0; i < pairs; i++) (await locks.lock(name).acquire()).release();
}
async function byNameWithLimit() {
  for (let i = 0; i < pairs; i++) (await limited.lock(name).acquire()).release();
}
async function bareBlocking() {
  for (let i = 0; i < pairs; i++) mutex.acquireSync().release();
}
async function byNameBlocking() {
  for (let i = 0; i < pairs; i++) locks.lock(name).acquireSync().release();
}

async function timed(batch) {
  const start = performance.now();
  await batch();
  return ((performance.now() - start) * 1e6) / pairs;
}

const cases = [
  { base: bare, batch: byName, bases: [], ratios: [], times: [] },
  { base: bare, batch: byNameWithLimit, bases: [], ratios: [], times: [] },
  { base: bareBlocking, batch: byNameBlocking, bases: [], ratios: [], times: [] },
];
for (let round = 0; round < rounds; round++)
  for (const { base, batch, bases, ratios, times } of cases) {
    const beside = await timed(base);
    const time = await timed(batch);
    if (round < warmUp) continue;
    bases.push(beside);
    times.push(time);
    ratios.push(time / beside);
  }
process.send(
  cases.map(({ bases, ratios, times }) => ({
    base: median(bases),
    cases: [{ ratio: median(ratios), time: median(times) }],
  })),
);
