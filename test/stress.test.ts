import { expect, test } from 'vitest';
import { Stress } from './stress/harness.mjs';
import { stressNames } from './stress/naming.mjs';
import { OptionError, USAGE, parseOptions } from './stress/options.mjs';
import { Rounds } from './stress/rounds.mjs';

test('Threads that begin together share every kind of lock, round after round', async () => {
  const seed = (Math.random() * 2 ** 31) | 0;
  console.log(`rounds seed ${seed}`);
  const sections = 40_000;
  // Other tests have the processors meanwhile: an idle lock is a matter for the long run.
  const result = await new Rounds({ seed, sections, maxIdle: 50 }).run();

  expect(result.failures).toEqual([]);
  // It has tried what it is for.
  expect(result.primitives).toHaveLength(6);
  for (const it of result.primitives) {
    expect(it.sections, it.primitive).toBeGreaterThanOrEqual(sections);
    expect(it.rounds, it.primitive).toBeGreaterThan(10);
    expect(it.threads, it.primitive).toBeGreaterThanOrEqual(it.rounds * 2);
    expect(it.contended, it.primitive).toBeGreaterThan(10);
  }
  const sum = (key: 'tries refused' | 'timeouts' | 'aborts' | 'downgrades' | 're-entries') =>
    result.primitives.reduce((total, it) => total + it[key], 0);
  expect(sum('tries refused')).toBeGreaterThan(100);
  expect(sum('timeouts')).toBeGreaterThan(0);
  expect(sum('aborts')).toBeGreaterThan(0);
  expect(sum('downgrades')).toBeGreaterThan(100);
  expect(sum('re-entries')).toBeGreaterThan(100);
}, 60_000);

test('Workers killed at random take nothing with them (the short run of `npm run stress`)', async () => {
  const seed = (Math.random() * 2 ** 31) | 0;
  console.log(`stress seed ${seed}`);
  const result = await new Stress({ seed, workers: 5, pause: 70, spares: 2 }).run({
    seconds: 12,
    // It has tried what it is for.
    enough: ({ kills, sections, fewest, abandoned }) =>
      kills > 50 && sections > 10_000 && fewest > 100 && abandoned > 0,
  });

  expect(result.stuck).toBeUndefined();
  expect(result.violations).toEqual([]);
  expect(result.errors).toEqual([]);
  expect(result.permitsBack).toBe(result.permits);
  expect(result.leftover).toBeUndefined();
  expect(result.settled).toBe(true);
  expect(result.kills).toBeGreaterThan(50);
  expect(result.sections).toBeGreaterThan(10_000);
  for (const { name, counts } of result.subjects) expect(counts.sections, name).toBeGreaterThan(100);
  expect(result.abandoned).toBeGreaterThan(0);
  expect(result.worstStall).toBeLessThan(1_000);
}, 120_000);

for (const locks of [5, 8])
  test(`Workers killed while they make, use and dispose of named locks leave a space of ${locks} as it was`, async () => {
    const seed = (Math.random() * 2 ** 31) | 0;
    console.log(`naming stress seed ${seed}`);
    const result = await stressNames({
      seed,
      seconds: 4,
      workers: 3,
      locks,
      enough: ({ kills, disposed, full }) => kills > 10 && disposed > 100 && (full > 0 || locks > 6),
    });

    expect(result.errors).toEqual([]);
    expect(result.violations).toEqual([]);
    expect(result.room).toBe(result.locks);
    expect(result.kills).toBeGreaterThan(10);
    expect(result.disposed).toBeGreaterThan(100);
    expect(result.full > 0).toBe(locks < 7);
  }, 120_000);

test('npm run stress says what is wrong with its options, and runs the part that is asked for', () => {
  for (const [args, message] of [
    [['--foo'], /'--foo'/],
    [['extra'], /'extra'/],
    [['--sections'], /'--sections <value>'/],
    [['--sections', 'many'], /--sections must be an integer of at least 1, not 'many'/],
    [['--terminations', '1.5'], /--terminations must be an integer from 1 to 100000/],
    [['--workers', '9'], /--workers must be an integer from 1 to 8/],
    [['--primitive', 'latch'], /--primitive must be one of mutex-blocking, .*, not 'latch'/],
  ] as const) {
    expect(() => parseOptions(args), args.join(' ')).toThrow(OptionError);
    expect(() => parseOptions(args), args.join(' ')).toThrow(message);
  }
  expect(parseOptions(['--sections', '1e8'])).toMatchObject({ rounds: { sections: 1e8 }, kills: undefined });
  expect(parseOptions(['--seconds', '5'])).toMatchObject({ rounds: undefined, kills: { seconds: 5 } });
  expect(parseOptions(['--terminations', '10000'])).toMatchObject({
    rounds: undefined,
    kills: { terminations: 10_000, seconds: Infinity },
  });
  expect(parseOptions([])).toMatchObject({ rounds: { watchdog: 10 }, kills: { seconds: 30 } });
  expect(parseOptions(['--processes', '60'])).toMatchObject({
    rounds: undefined,
    kills: undefined,
    processes: { seconds: 60, maxStall: 100 },
  });
  expect(parseOptions(['--processes', '1', '--seconds', '1'])).toMatchObject({ kills: { seconds: 1 } });
  for (const option of USAGE.matchAll(/^ {2}--(\S+) [A-Z]/gm)) {
    const value = option[1] === 'primitive' ? 'semaphore' : '5';
    expect(parseOptions([`--${option[1]}`, value])).toBeDefined();
  }
});
