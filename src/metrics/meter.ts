import { checkObject, show } from '../deadline.js';
import type { LockScope } from '../manager/lock-scope.js';
import { requirePeer } from './peer.js';
import { seriesOf, type Labels, type Series, type SeriesOptions } from './series.js';

/** A `Meter` of `@opentelemetry/api`. */
export interface Meter {
  createObservableCounter(name: string, options?: object): unknown;
  createObservableUpDownCounter(name: string, options?: object): unknown;
  createObservableGauge(name: string, options?: object): unknown;
  addBatchObservableCallback(callback: never, instruments: never): void;
  removeBatchObservableCallback(callback: never, instruments: never): void;
}

export interface OpenTelemetryMetricsOptions extends SeriesOptions {
  /** Default: that with the name `mortise` of the global meter provider. */
  meter?: Meter;
}

interface Result {
  observe(instrument: unknown, value: number, attributes: Labels): void;
}

interface Instrument {
  readonly name: string;
  readonly how: 'createObservableCounter' | 'createObservableUpDownCounter' | 'createObservableGauge';
  readonly description: string;
  readonly unit: string;
  readonly valueOf: (series: Series) => number | undefined;
}

const INSTRUMENTS: readonly Instrument[] = [
  counter('acquisitions', 'Holds that began.', ({ counts }) => counts.acquisitions),
  counter('releases', 'Holds that were released.', ({ counts }) => counts.releases),
  counter('timeouts', 'Requests that ran out of time.', ({ counts }) => counts.timeouts),
  counter('abandoned', 'Holds that ended with their thread.', ({ counts }) => counts.abandoned),
  counter('lost', 'Leases that ended by themselves.', ({ counts }) => counts.lost),
  counter('contended', 'Acquisitions that had to wait.', ({ contended }) => contended),
  level('holders', 'Guards that are held.', ({ counts }) => counts.holders),
  level('waiters', 'Requests that wait.', ({ counts }) => counts.waiters),
  counter('wait.count', 'Waiting times that were measured.', ({ wait }) => wait.count),
  counter('wait.time', 'All of them together.', ({ wait }) => wait.sum / 1000, 's'),
  longest('wait.max', 'The longest of them.', ({ wait }) => wait.max / 1000),
  counter('hold.count', 'Hold times that were measured.', ({ hold }) => hold.count),
  counter('hold.time', 'All of them together.', ({ hold }) => hold.sum / 1000, 's'),
  longest('hold.max', 'The longest of them.', ({ hold }) => hold.max / 1000),
];

/**
 * Tells OpenTelemetry what `locks` counts, each time it collects: observable counters `mortise.acquisitions`, `releases`,
 * `timeouts`, `abandoned`, `lost`, `contended`, and for `mortise.wait` and `mortise.hold` each `count`, `time` and `max` in
 * seconds; up-down counters `mortise.holders` and `mortise.waiters`; with the attributes `name`, `mode` and `backend`. One
 * thread tells of all threads. Returns a function that ends it.
 * @throws UnsupportedError if `locks` was made without `statistics`, or `@opentelemetry/api` is not installed and no meter
 * given; TypeError for bad arguments.
 *
 * @example
 * ```js
 * import { LockManager } from 'mortise';
 * import { openTelemetryMetrics } from 'mortise/metrics';
 *
 * const locks = new LockManager({ statistics: true });
 * const stop = openTelemetryMetrics(locks); // to the global meter provider, once you have set one
 * stop();
 * ```
 */
export function openTelemetryMetrics(
  locks: LockScope,
  options: OpenTelemetryMetricsOptions = {},
): () => void {
  checkObject(options, 'options');
  const read = seriesOf(locks, options);
  const meter = checkMeter(options.meter ?? globalMeter());
  const instruments = INSTRUMENTS.map(({ how, name, description, unit }) =>
    meter[how](`mortise.${name}`, { description, unit }),
  );
  const observe = (result: Result): void => {
    for (const series of read())
      for (const [index, { valueOf }] of INSTRUMENTS.entries()) {
        const value = valueOf(series);
        if (value !== undefined) result.observe(instruments[index], value, series.labels);
      }
  };
  meter.addBatchObservableCallback(observe as never, instruments as never);
  return () => meter.removeBatchObservableCallback(observe as never, instruments as never);
}

type ValueOf = Instrument['valueOf'];

function counter(name: string, description: string, valueOf: ValueOf, unit = '1'): Instrument {
  return { name, how: 'createObservableCounter', description, unit, valueOf };
}

function level(name: string, description: string, valueOf: ValueOf): Instrument {
  return { name, how: 'createObservableUpDownCounter', description, unit: '1', valueOf };
}

function longest(name: string, description: string, valueOf: ValueOf): Instrument {
  return { name, how: 'createObservableGauge', description, unit: 's', valueOf };
}

function globalMeter(): Meter {
  const api = requirePeer('@opentelemetry/api', 'openTelemetryMetrics');
  return (api as { metrics: { getMeter(name: string): Meter } }).metrics.getMeter('mortise');
}

function checkMeter(meter: Meter): Meter {
  checkObject(meter, 'options.meter');
  if (typeof meter.addBatchObservableCallback !== 'function')
    throw new TypeError(`options.meter must be a Meter of @opentelemetry/api, not ${show(meter)}`);
  return meter;
}
