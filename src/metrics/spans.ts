import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { checkObject, show } from '../deadline.js';
import type { LockAcquiredEvent, LockEvent, LockMissedEvent, LockReleaseEvent } from '../manager/events.js';
import { requirePeer } from './peer.js';

interface Span {
  setAttributes(attributes: object): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  recordException(error: Error): void;
  end(): void;
}

/** A `Tracer` of `@opentelemetry/api`. */
export interface Tracer {
  startSpan(name: string, options?: object, context?: never): unknown;
}

export interface OpenTelemetrySpansOptions {
  /** Default: that with the name `mortise` of the global tracer provider. */
  tracer?: Tracer;
}

/** What is needed of `@opentelemetry/api`. */
interface Api {
  readonly context: { active(): never };
  readonly trace: { getTracer(name: string): Tracer };
}

/** `SpanStatusCode.ERROR`. */
const ERROR = 2;

/** One acquisition: first the span of its waiting, then that of its hold. */
interface Traced {
  readonly context: never;
  readonly attributes: object;
  readonly span: Span;
}

/**
 * Makes spans of what happens at locks by name in this thread, of all managers: `mortise.wait` from the asking until it is
 * acquired or given up, and `mortise.hold` until it is released or lost. Both are children of the span that was active when
 * it was asked for, with the attributes `mortise.name`, `mode`, `backend` and `weight`, and of a hold `fence` and
 * `abandoned`. It listens to the events of `node:diagnostics_channel`. Returns a function that ends it; spans that are open
 * then are never ended.
 * @throws UnsupportedError if `@opentelemetry/api` is not installed; TypeError for bad options.
 *
 * @example
 * ```js
 * import { getLockManager } from 'mortise';
 * import { openTelemetrySpans } from 'mortise/metrics';
 *
 * const stop = openTelemetrySpans(); // to the global tracer provider, once you have set one
 * await getLockManager().lock('report').withLock(() => 'traced'); // => 'traced'
 * stop();
 * ```
 */
export function openTelemetrySpans(options: OpenTelemetrySpansOptions = {}): () => void {
  checkObject(options, 'options');
  const { context, trace } = requirePeer('@opentelemetry/api', 'openTelemetrySpans') as Api;
  const tracer = checkTracer(options.tracer ?? trace.getTracer('mortise'));
  const open = new Map<number, Traced>();

  const begin = (id: number, name: string, attributes: object, at: never): void => {
    const span = tracer.startSpan(name, { attributes }, at) as Span;
    open.set(id, { context: at, attributes, span });
  };
  const end = (id: number): Traced | undefined => {
    const traced = open.get(id);
    open.delete(id);
    traced?.span.end();
    return traced;
  };
  const fail = (id: number, message: string): void => {
    open.get(id)?.span.setStatus({ code: ERROR, message });
  };

  const listeners: Record<string, (event: never) => void> = {
    acquire: ({ id, name, mode, backend = 'registered', weight }: LockEvent) =>
      begin(
        id,
        'mortise.wait',
        {
          'mortise.name': name,
          'mortise.mode': mode,
          'mortise.backend': backend,
          'mortise.weight': weight,
        },
        context.active(),
      ),
    acquired: ({ id, fence, abandoned }: LockAcquiredEvent) => {
      const traced = end(id);
      if (traced === undefined) return; // It was asked for before anybody listened.
      const more = { 'mortise.fence': String(fence), 'mortise.abandoned': abandoned };
      begin(id, 'mortise.hold', { ...traced.attributes, ...more }, traced.context);
    },
    timeout: ({ id, error }: LockMissedEvent) => {
      fail(id, error instanceof Error ? error.message : 'not acquired at once');
      end(id);
    },
    failed: ({ id, error }: LockMissedEvent) => {
      if (error instanceof Error) open.get(id)?.span.recordException(error);
      fail(id, error instanceof Error ? error.message : show(error));
      end(id);
    },
    release: ({ id }: LockReleaseEvent) => void end(id),
    lost: ({ id }: LockReleaseEvent) => {
      fail(id, 'lost');
      end(id);
    },
  };
  for (const [event, listener] of Object.entries(listeners))
    subscribe(`mortise:${event}`, listener as (message: unknown) => void);
  return () => {
    for (const [event, listener] of Object.entries(listeners))
      unsubscribe(`mortise:${event}`, listener as (message: unknown) => void);
    open.clear();
  };
}

function checkTracer(tracer: Tracer): Tracer {
  checkObject(tracer, 'options.tracer');
  if (typeof tracer.startSpan !== 'function')
    throw new TypeError(`options.tracer must be a Tracer of @opentelemetry/api, not ${show(tracer)}`);
  return tracer;
}
