import { checkObject, show } from '../deadline.js';
import type { LockScope } from '../manager/lock-scope.js';
import { requirePeer } from './peer.js';
import { seriesOf, type Durations, type Labels, type Series, type SeriesOptions } from './series.js';

/** A `Registry` of prom-client. */
export interface PrometheusRegistry {
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

export interface PrometheusOptions extends SeriesOptions {
  /** Default: the global one of prom-client. */
  registry?: PrometheusRegistry;
  /** What the names of the metrics begin with. Default `mortise_`. */
  prefix?: string;
}

interface Value {
  readonly labels: Readonly<Labels>;
  readonly value: number;
  readonly metricName?: string;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly valuesOf: (series: Series, name: string) => Value[];
}

/** Seconds: 1 µs to 268 s, each four times the one before, where buckets of the statistics end. */
const BOUNDS: readonly number[] = Array.from({ length: 15 }, (_, index) => 4 ** index / 1e6);

const FAMILIES: readonly Family[] = [
  counter('acquisitions_total', 'Holds that began.', ({ counts }) => counts.acquisitions),
  counter('releases_total', 'Holds that were released.', ({ counts }) => counts.releases),
  counter('timeouts_total', 'Requests that ran out of time.', ({ counts }) => counts.timeouts),
  counter('abandoned_total', 'Holds that ended with their thread.', ({ counts }) => counts.abandoned),
  counter('lost_total', 'Leases that ended by themselves.', ({ counts }) => counts.lost),
  counter('contended_total', 'Acquisitions that had to wait.', ({ contended }) => contended),
  gauge('holders', 'Guards that are held.', ({ counts }) => counts.holders),
  gauge('waiters', 'Requests that wait.', ({ counts }) => counts.waiters),
  histogram('wait_seconds', 'Waiting times of acquisitions that had to wait.', ({ wait }) => wait),
  histogram('hold_seconds', 'Hold times of contended holds and a sample of the others.', ({ hold }) => hold),
];

/**
 * Tells a registry of prom-client what `locks` counts, each time it is asked: counters `mortise_acquisitions_total`,
 * `releases`, `timeouts`, `abandoned`, `lost` and `contended`, gauges `mortise_holders` and `mortise_waiters`, histograms
 * `mortise_wait_seconds` and `mortise_hold_seconds`, with the labels `name`, `mode` and `backend`. One thread tells of all
 * threads. Returns a function that takes the metrics out of the registry again.
 * @throws UnsupportedError if `locks` was made without `statistics`, or prom-client is neither given nor installed;
 * TypeError for bad arguments; what prom-client does if there are metrics with these names already.
 *
 * @example
 * ```js
 * import { Registry } from 'prom-client';
 * import { LockManager } from 'mortise';
 * import { prometheusMetrics } from 'mortise/metrics';
 *
 * const locks = new LockManager({ statistics: true });
 * const registry = new Registry();
 * prometheusMetrics(locks, { registry, name: (name) => name.split(':')[0] });
 * for (const user of [1, 2, 3]) await locks.lock(`user:${user}`).withLock(() => {});
 * (await registry.metrics()).split('\n').find((line) => line.startsWith('mortise_acquisitions_total'));
 * // => 'mortise_acquisitions_total{name="user",mode="lock",backend="memory"} 3'
 * ```
 */
export function prometheusMetrics(locks: LockScope, options: PrometheusOptions = {}): () => void {
  checkObject(options, 'options');
  const { prefix = 'mortise_' } = options;
  if (typeof prefix !== 'string') throw new TypeError(`options.prefix must be a string, not ${show(prefix)}`);
  const read = onceATurn(seriesOf(locks, options));
  const registry = checkRegistry(options.registry ?? globalRegistry());
  for (const family of FAMILIES) registry.registerMetric(metricOf(family, prefix, read) as never);
  return () => {
    for (const { name } of FAMILIES) registry.removeSingleMetric(prefix + name);
  };
}

/** A metric as registries know it. They change its name in the OpenMetrics format. */
function metricOf({ name, help, type, valuesOf }: Family, prefix: string, read: () => Series[]): object {
  const metric = {
    name: prefix + name,
    help,
    type,
    get: () => {
      const { name } = metric;
      const values = read().flatMap((series) => valuesOf(series, name));
      return Promise.resolve({ name, help, type, aggregator: 'sum', values });
    },
    /** What counts is not the registry's to reset. */
    reset: () => {},
  };
  return metric;
}

/** A registry asks all its metrics at once, and they are to be of the same moment. */
function onceATurn<T>(read: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => {
    if (known === undefined) queueMicrotask(() => (known = undefined));
    known ??= { value: read() };
    return known.value;
  };
}

function counter(name: string, help: string, valueOf: (series: Series) => number | undefined): Family {
  return { ...gauge(name, help, valueOf), type: 'counter' };
}

function gauge(name: string, help: string, valueOf: (series: Series) => number | undefined): Family {
  const valuesOf = (series: Series): Value[] => {
    const value = valueOf(series);
    return value === undefined ? [] : [{ labels: series.labels, value }];
  };
  return { name, help, type: 'gauge', valuesOf };
}

function histogram(name: string, help: string, durationsOf: (series: Series) => Durations): Family {
  const valuesOf = (series: Series, full: string): Value[] => {
    const { labels } = series;
    const durations = durationsOf(series);
    const bucket = (le: string, value: number): Value => ({
      metricName: `${full}_bucket`,
      labels: { ...labels, le },
      value,
    });
    return [
      ...BOUNDS.map((bound) => bucket(String(bound), durations.within(bound * 1000))),
      bucket('+Inf', durations.count),
      { metricName: `${full}_sum`, labels, value: durations.sum / 1000 },
      { metricName: `${full}_count`, labels, value: durations.count },
    ];
  };
  return { name, help, type: 'histogram', valuesOf };
}

function globalRegistry(): PrometheusRegistry {
  return (requirePeer('prom-client', 'prometheusMetrics') as { register: PrometheusRegistry }).register;
}

function checkRegistry(registry: PrometheusRegistry): PrometheusRegistry {
  checkObject(registry, 'options.registry');
  if (typeof registry.registerMetric !== 'function')
    throw new TypeError(`options.registry must be a Registry of prom-client, not ${show(registry)}`);
  return registry;
}
