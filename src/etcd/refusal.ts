/** What etcd refuses, and who did not answer. */
import { isPlain } from '../remote/failure.js';

/** Codes of gRPC, by which etcd tells apart what goes wrong. */
export const CODE = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** One endpoint refused, or did not answer. The message begins with the endpoint. */
export class EtcdError extends Error {
  readonly endpoint: string;
  /** Of gRPC; undefined if the endpoint was not reached or did not answer. */
  readonly code: number | undefined;
  /** Was the connection one that had been idle? @internal */
  wasIdle = false;

  constructor(endpoint: string, text: string, code?: number, options?: ErrorOptions) {
    super(`${endpoint}: ${text}`, options);
    this.name = 'EtcdError';
    this.endpoint = endpoint;
    this.code = code;
  }
}

/** No endpoint could answer; the message has the reason of each, and `errors` in full. */
export class EtcdUnavailable extends AggregateError {
  constructor(errors: readonly EtcdError[]) {
    super([...errors], errors.map(({ message }) => message).join('; '));
    this.name = 'EtcdUnavailable';
  }
}

const elsewhere = new Set<number | undefined>([
  undefined,
  CODE.cancelled,
  CODE.deadlineExceeded,
  CODE.unavailable,
]);

/** Might another endpoint answer? Such as when this one is gone, stands still, or has no leader. */
export function isOfEndpoint(error: unknown): error is EtcdError {
  return error instanceof EtcdError && elsewhere.has(error.code);
}

/** The lease has expired, or was revoked. */
export function isLeaseGone(error: unknown): boolean {
  return error instanceof EtcdError && error.code === CODE.notFound;
}

/** The database is full: etcd takes nothing but what makes it smaller. */
export function isFull(error: unknown): boolean {
  return error instanceof EtcdError && error.code === CODE.resourceExhausted && /space/.test(error.message);
}

/** Might the same request succeed later? */
export function isPassing(error: unknown): boolean {
  if (isPlain(error)) return false;
  if (!(error instanceof EtcdError)) return true;
  return elsewhere.has(error.code) || /too many requests/.test(error.message);
}
