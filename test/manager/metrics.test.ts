/** What mortise/metrics tells prom-client and OpenTelemetry, the real ones. */
import { context, metrics, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node';
import { Registry, register } from 'prom-client';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LockManager, Mutex, UnsupportedError, type Guard, type LockScope } from 'mortise';
import { openTelemetryMetrics, openTelemetrySpans, prometheusMetrics } from 'mortise/metrics';
import { contend, newName } from '../fixtures/manager/counting.ts';
import { endThreads, startThread } from '../fixtures/thread.ts';

afterAll(endThreads);

/** Names of nobody else. */
const newScope = (): LockScope => new LockManager({ statistics: true }).scope(newName());

/** Its samples, by what stands before the value. */
async function samplesOf(registry: Registry): Promise<Map<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

describe('prometheusMetrics', () => {
  test('tells what is counted when it is asked', async () => {
    const locks = newScope();
    const registry = new Registry();
    prometheusMetrics(locks, { registry });
    expect(await samplesOf(registry)).toEqual(new Map());
    const labels = 'name="db",mode="lock",backend="memory"';
    await (await contend(locks, 'db')).release();
    await locks.lock('db').withLock(() =>
      locks
        .lock('db')
        .acquire({ timeout: 5 })
        .catch(() => undefined),
    );
    const held = await locks.lock('db').acquire();

    const samples = await samplesOf(registry);
    for (const [metric, value] of [
      ['acquisitions_total', 4],
      ['releases_total', 3],
      ['timeouts_total', 1],
      ['abandoned_total', 0],
      ['lost_total', 0],
      ['contended_total', 1],
      ['holders', 1],
      ['waiters', 0],
      ['wait_seconds_count', 1],
    ] as const)
      expect([metric, samples.get(`mortise_${metric}{${labels}}`)]).toEqual([metric, value]);
    const sum = samples.get(`mortise_wait_seconds_sum{${labels}}`)!;
    const stats = locks.stats('db')!;
    expect(sum).toBeCloseTo(stats.wait.avg / 1000, 9);
    const buckets = [...samples].filter(([name]) => name.startsWith('mortise_wait_seconds_bucket'));
    expect(buckets).toHaveLength(16);
    const [upTo] = stats.wait.histogram;
    for (const [name, value] of buckets) {
      const le = Number(/le="([^"]*)"/.exec(name)![1]!.replace('+Inf', 'Infinity'));
      expect([le, value]).toEqual([le, upTo!.upTo <= le * 1000 ? 1 : 0]);
    }
    expect(samples.get(`mortise_hold_seconds_count{${labels}}`)).toBe(stats.hold.count);

    await held.release();
    expect((await samplesOf(registry)).get(`mortise_releases_total{${labels}}`)).toBe(4);
    registry.resetMetrics();
    expect((await samplesOf(registry)).get(`mortise_releases_total{${labels}}`)).toBe(4);
    expect(await registry.metrics()).toContain('# TYPE mortise_wait_seconds histogram');
    expect(await registry.getSingleMetricAsString('mortise_holders')).toContain(
      '# TYPE mortise_holders gauge',
    );
  });

  test('tells of all threads, with all modes', async () => {
    const locks = newScope();
    const registry = new Registry();
    prometheusMetrics(locks, { registry });
    const thread = await startThread();
    await thread.run(
      ({ LockManager }, [table, slots]) => {
        const locks = new LockManager({ statistics: true });
        for (let i = 0; i < 3; i++) locks.readLock(table).withLockSync(() => undefined);
        locks.writeLock(table).withLockSync(() => undefined);
        locks.semaphore(slots, 2).withLockSync(() => undefined);
      },
      [locks.readLock('table').name, locks.semaphore('slots', 2).name] as const,
    );
    const samples = await samplesOf(registry);
    const taken = (name: string, mode: string): number | undefined =>
      samples.get(`mortise_acquisitions_total{name="${name}",mode="${mode}",backend="memory"}`);
    expect([taken('table', 'read'), taken('table', 'write'), taken('slots', 'semaphore')]).toEqual([3, 1, 1]);
  });

  test('leaves names out, or sums those that are mapped to the same', async () => {
    const locks = newScope();
    const [one, other] = [new Registry(), new Registry()];
    const stop = prometheusMetrics(locks, { registry: one, name: (name) => name.split(':')[0]! });
    prometheusMetrics(locks, { registry: other, name: false, prefix: 'app_' });
    for (let user = 0; user < 3; user++) await (await contend(locks, `user:${user}`)).release();
    locks.register('mine', new Mutex({ reentrant: true })).withLockSync(() => undefined);
    const mapped = await samplesOf(one);
    expect(mapped.get('mortise_acquisitions_total{name="user",mode="lock",backend="memory"}')).toBe(6);
    expect(mapped.get('mortise_wait_seconds_count{name="user",mode="lock",backend="memory"}')).toBe(3);
    expect(mapped.get('mortise_acquisitions_total{name="mine",mode="lock",backend="registered"}')).toBe(1);
    expect(mapped.has('mortise_contended_total{name="mine",mode="lock",backend="registered"}')).toBe(false);
    const without = await samplesOf(other);
    expect(without.get('app_acquisitions_total{mode="lock",backend="memory"}')).toBe(6);
    stop();
    expect(await samplesOf(one)).toEqual(new Map());
  });

  test('speaks OpenMetrics, and has the global registry by default', async () => {
    const locks = newScope();
    locks.lock('db').withLockSync(() => undefined);
    const open = new Registry();
    open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    prometheusMetrics(locks, { registry: open });
    const counted = /^mortise_acquisitions_total\{name="db",mode="lock",backend="memory"\} 1$/m;
    expect(await open.metrics()).toMatch(counted);
    expect(await open.metrics()).toMatch(counted);

    const stop = prometheusMetrics(locks);
    expect(await register.metrics()).toMatch(counted);
    expect(() => prometheusMetrics(locks)).toThrow(/already been registered/);
    stop();
    expect(await register.metrics()).not.toContain('mortise');
  });

  test('checks its arguments', () => {
    const locks = newScope();
    for (const [ask, error, message] of [
      [() => prometheusMetrics(5 as never), TypeError, /^locks must be an object, not 5/],
      [() => prometheusMetrics({} as never), TypeError, /^locks must be a LockManager/],
      [() => prometheusMetrics(new LockManager()), UnsupportedError, /needs a manager that counts/],
      [() => prometheusMetrics(locks, null as never), TypeError, /^options must be an object/],
      [() => prometheusMetrics(locks, { name: 5 as never }), TypeError, /^options.name must be true/],
      [() => prometheusMetrics(locks, { prefix: 5 as never }), TypeError, /^options.prefix must be a string/],
      [() => prometheusMetrics(locks, { registry: {} as never }), TypeError, /^options.registry must be/],
      [() => openTelemetryMetrics(locks, { meter: {} as never }), TypeError, /^options.meter must be/],
      [() => openTelemetryMetrics(new LockManager()), UnsupportedError, /needs a manager that counts/],
      [() => openTelemetrySpans({ tracer: {} as never }), TypeError, /^options.tracer must be/],
      [() => openTelemetrySpans(5 as never), TypeError, /^options must be an object/],
    ] as const) {
      expect(ask).toThrow(error);
      expect(ask).toThrow(message);
    }
  });
});

describe('openTelemetryMetrics', () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  const provider = new MeterProvider({ readers: [reader] });
  afterAll(() => provider.shutdown());
  afterAll(() => metrics.disable());

  /** By name of the instrument and attributes. */
  async function collected(): Promise<Map<string, unknown>> {
    exporter.reset();
    await provider.forceFlush();
    const told = new Map<string, unknown>();
    for (const { scopeMetrics } of exporter.getMetrics())
      for (const { metrics } of scopeMetrics)
        for (const { descriptor, dataPoints, dataPointType } of metrics)
          for (const { attributes, value } of dataPoints)
            told.set(
              `${descriptor.name} ${Object.values(attributes).join()}`,
              dataPointType === DataPointType.SUM || dataPointType === DataPointType.GAUGE
                ? value
                : undefined,
            );
    return told;
  }

  test('tells what is counted whenever it is collected, until it is stopped', async () => {
    const locks = newScope();
    const stop = openTelemetryMetrics(locks, { meter: provider.getMeter('test') });
    await (await contend(locks, 'db')).release();
    using _held = locks.lock('db').acquireSync();
    const told = await collected();
    const stats = locks.stats('db')!;
    for (const [instrument, value] of [
      ['acquisitions', 3],
      ['releases', 2],
      ['timeouts', 0],
      ['abandoned', 0],
      ['lost', 0],
      ['contended', 1],
      ['holders', 1],
      ['waiters', 0],
      ['wait.count', 1],
      ['wait.time', stats.wait.avg / 1000],
      ['wait.max', stats.wait.max / 1000],
      ['hold.count', stats.hold.count],
      ['hold.time', (stats.hold.avg * stats.hold.count) / 1000],
      ['hold.max', stats.hold.max / 1000],
    ] as const)
      expect([instrument, told.get(`mortise.${instrument} db,lock,memory`)]).toEqual([instrument, value]);
    stop();
    locks
      .lock('db')
      .withLock(() => undefined)
      .catch(() => undefined);
    expect((await collected()).get('mortise.acquisitions db,lock,memory')).not.toBe(4);
  });

  test('tells the global meter provider by default', async () => {
    metrics.setGlobalMeterProvider(provider);
    const locks = newScope();
    const stop = openTelemetryMetrics(locks, { name: false });
    locks.lock('db').withLockSync(() => undefined);
    locks.lock('cache').withLockSync(() => undefined);
    expect((await collected()).get('mortise.acquisitions lock,memory')).toBe(2);
    stop();
  });
});

describe('openTelemetrySpans', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  let stop: () => void;

  beforeEach(() => {
    provider.register();
    exporter.reset();
    stop = openTelemetrySpans();
  });
  afterEach(() => {
    stop();
    trace.disable();
    context.disable();
  });

  const spans = (): ReadableSpan[] => exporter.getFinishedSpans();
  const seen = (): unknown[] => spans().map(({ name, status }) => [name, status.code]);
  const { UNSET, ERROR } = SpanStatusCode;

  test('makes one for waiting and one for holding, within what asked', async () => {
    const lock = new LockManager().lock(newName());
    let guard: Guard | undefined;
    const parent = provider.getTracer('test').startSpan('request');
    await context.with(trace.setSpan(context.active(), parent), async () => {
      guard = await lock.acquire();
    });
    expect(seen()).toEqual([['mortise.wait', UNSET]]);
    await guard!.release();
    parent.end();
    const [wait, hold] = spans();
    const about = {
      'mortise.name': lock.name,
      'mortise.mode': 'lock',
      'mortise.backend': 'memory',
      'mortise.weight': 1,
    };
    expect(wait!.attributes).toEqual(about);
    expect(hold!.name).toBe('mortise.hold');
    expect(hold!.attributes).toEqual({ ...about, 'mortise.fence': '1', 'mortise.abandoned': false });
    for (const span of [wait!, hold!]) {
      expect(span.parentSpanContext!.spanId).toBe(parent.spanContext().spanId);
      expect(span.instrumentationScope.name).toBe('mortise');
    }
  });

  test('marks those that ended otherwise', async () => {
    const lock = new LockManager().lock(newName());
    const guard = lock.acquireSync();
    await lock.acquire({ timeout: 5 }).catch(() => undefined);
    expect(lock.tryAcquireSync()).toBe(null);
    await lock.acquire({ signal: AbortSignal.abort(new Error('changed my mind')) }).catch(() => undefined);
    guard.release();
    expect(seen()).toEqual([
      ['mortise.wait', UNSET],
      ['mortise.wait', ERROR],
      ['mortise.wait', ERROR],
      ['mortise.wait', ERROR],
      ['mortise.hold', UNSET],
    ]);
    expect(spans().map(({ status }) => status.message)).toEqual([
      undefined,
      expect.stringMatching(/^ERR_LOCK_TIMEOUT.*within 5 ms/),
      'not acquired at once',
      'changed my mind',
      undefined,
    ]);
    expect(spans()[3]!.events.map(({ name }) => name)).toEqual(['exception']);
  });

  test('makes none any more once it is stopped, nor of what was asked for before', async () => {
    const lock = new LockManager().lock(newName());
    stop();
    const before = await lock.acquire();
    stop = openTelemetrySpans({ tracer: provider.getTracer('mine') });
    await before.release();
    expect(seen()).toEqual([]);
    lock.withLockSync(() => undefined);
    expect(spans().map(({ instrumentationScope }) => instrumentationScope.name)).toEqual(['mine', 'mine']);
    stop();
    lock.withLockSync(() => undefined);
    expect(spans()).toHaveLength(2);
  });
});
