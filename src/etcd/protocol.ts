/** What is asked of etcd and what it answers, as far as locks need it: its JSON gateway, with proto3's names and numbers in strings. */

export interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly create_revision: string;
  readonly mod_revision: string;
  readonly lease?: string;
}

export interface Header {
  readonly revision: string;
  readonly raft_term: string;
}

export interface Compare {
  readonly key: string;
  readonly range_end?: string;
  readonly result: 'EQUAL' | 'GREATER' | 'LESS' | 'NOT_EQUAL';
  readonly target: 'VERSION' | 'CREATE' | 'MOD' | 'VALUE' | 'LEASE';
  readonly create_revision?: string;
  readonly mod_revision?: string;
}

export interface RequestOp {
  readonly request_range?: object;
  readonly request_put?: object;
  readonly request_delete_range?: object;
  readonly request_txn?: Txn;
}

export interface Txn {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

export interface RangeAnswer {
  readonly header?: Header;
  readonly kvs?: readonly KeyValue[];
  readonly count?: string;
}

export interface ResponseOp {
  readonly response_range?: RangeAnswer;
  readonly response_delete_range?: { readonly deleted?: string };
  readonly response_txn?: TxnAnswer;
}

export interface TxnAnswer {
  readonly header: Header;
  readonly succeeded?: boolean;
  readonly responses?: readonly ResponseOp[];
}

/** Bytes, as JSON has them. */
export function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}

export function decoded(bytes = ''): string {
  return Buffer.from(bytes, 'base64').toString();
}

/** All keys that begin with the prefix, which ends with an ASCII character. */
export function within(prefix: string): { key: string; range_end: string } {
  const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  return { key: encoded(prefix), range_end: encoded(end) };
}

/** Was the key created at that revision? 0: it does not exist. */
export function isCreatedAt(key: string, revision: bigint | 0): Compare {
  return { key: encoded(key), target: 'CREATE', result: 'EQUAL', create_revision: String(revision) };
}

/** Was the key changed last at that revision? */
export function isChangedAt(key: string, revision: bigint): Compare {
  return { key: encoded(key), target: 'MOD', result: 'EQUAL', mod_revision: String(revision) };
}

/** Is there no key with that prefix? */
export function isEmpty(prefix: string): Compare {
  return { ...within(prefix), target: 'CREATE', result: 'EQUAL', create_revision: '0' };
}

/** Was no key with that prefix made or changed after that revision? */
export function isUnchangedSince(prefix: string, revision: bigint): Compare {
  return { ...within(prefix), target: 'MOD', result: 'LESS', mod_revision: String(revision + 1n) };
}

export function put(key: string, value: string, lease: string): RequestOp {
  return { request_put: { key: encoded(key), value: encoded(value), lease } };
}

/** The same value under another lease: its create revision stays. */
export function putUnder(key: string, lease: string): RequestOp {
  return { request_put: { key: encoded(key), ignore_value: true, lease } };
}

export function remove(key: string): RequestOp {
  return { request_delete_range: { key: encoded(key) } };
}

export function get(key: string, isLocal = false): RequestOp {
  return { request_range: { key: encoded(key), ...(isLocal && { serializable: true }) } };
}

export interface RangeOptions {
  /** Only those that were created before it. */
  readonly before?: bigint;
  readonly limit?: number;
  /** Latest first; otherwise the earliest. */
  readonly isDescending?: boolean;
  /** As the member that is asked knows it, without asking the others. */
  readonly isLocal?: boolean;
}

/** The keys with that prefix in the order in which they were created. */
export function range(prefix: string, { before, limit, isDescending, isLocal }: RangeOptions): RequestOp {
  return {
    request_range: {
      ...within(prefix),
      sort_target: 'CREATE',
      sort_order: isDescending === true ? 'DESCEND' : 'ASCEND',
      ...(before !== undefined && { max_create_revision: String(before - 1n) }),
      ...(limit !== undefined && { limit: String(limit) }),
      ...(isLocal === true && { serializable: true }),
    },
  };
}

/** What the ranges among the operations of a transaction have found, by their place. */
export function kvsOf(answer: TxnAnswer, place: number): readonly KeyValue[] {
  return answer.responses?.[place]?.response_range?.kvs ?? [];
}
