/** Which modules are mutated, and what in them is not, with the reason. */
import ts from 'typescript';

/** Under which primitives each module is looked at first. */
export const concurrent = new Map(
  Object.entries({
    'guard.js': ['mutex', 'read-write lock', 'semaphore', 'names'],
    'parker/thread.js': ['mutex', 'semaphore', 'read-write lock', 'reentrant mutex'],
    'primitives/acquire.js': ['mutex', 'semaphore', 'read-write lock', 'reentrant mutex'],
    'primitives/exclusive-hold.js': ['mutex', 'read-write lock', 'reentrant mutex', 'names'],
    'primitives/mutex.js': ['mutex', 'reentrant mutex', 'names'],
    'primitives/read-write-lock.js': ['read-write lock'],
    'primitives/reentry.js': ['reentrant mutex'],
    'primitives/semaphore.js': ['semaphore'],
    'primitives/shared-hold.js': ['semaphore', 'read-write lock'],
    'space/cell.js': ['mutex', 'semaphore', 'read-write lock', 'reentrant mutex', 'names'],
    'space/cells.js': ['names'],
    'space/latch.js': ['latch', 'mutex'],
    'space/presence.js': ['names'],
    'space/pump.js': ['mutex', 'semaphore', 'read-write lock', 'reentrant mutex'],
    'space/tether.js': ['mutex', 'semaphore', 'read-write lock', 'reentrant mutex', 'names'],
    'space/threads.js': ['mutex', 'semaphore', 'read-write lock', 'names', 'reentrant mutex'],
    'space/waiters.js': ['mutex', 'semaphore', 'read-write lock', 'reentrant mutex'],
    'space/words.js': ['mutex', 'semaphore', 'read-write lock', 'reentrant mutex', 'names'],
  }),
);

const PROCESSES =
  'of memory that processes share, which is not run in the model: test/space-open*.test.ts, stress';
const REPLACED = 'replaced by the machine';
const PEOPLE = 'looks at locks for people';
const OBJECTS = 'makes lock objects and spaces: test/space.test.ts, test/handles.test.ts';

/** The other modules of those folders: why none of them is mutated. */
export const unmutated = {
  'parker/after.js': 'a timer',
  'parker/clock.js': REPLACED,
  'parker/lives.js': PROCESSES,
  'parker/mapped-file.js': PROCESSES,
  'parker/parker.js': 'types',
  'parker/process.js': PROCESSES,
  'parker/sleep.js': 'hands on to Atomics, or to the addon',
  'parker/spin.js': REPLACED,
  'primitives/abort.js':
    'one listener for all requests of a thread with the same signal: test/contract/lock.ts',
  'primitives/handles.js': OBJECTS,
  'primitives/open.js': OBJECTS,
  'primitives/space.js': OBJECTS,
  'primitives/thread-lock.js':
    'faces in terms of acquire; dispose() refuses what is held or waited for: test/space.test.ts',
  'space/holders.js': PEOPLE,
  'space/layout.js': 'offsets',
  'space/liveness.js': REPLACED,
  'space/lost-guards.js': 'warns of guards that were collected: test/guard-lost.test.ts',
  'space/memory.js': 'lays out memory that nobody else has yet',
  'space/processes.js': PROCESSES,
  'space/region-file.js': PROCESSES,
  'space/region.js': PROCESSES,
  'space/runtime.js': 'what Node.js tells of workers that end: test/death.test.ts',
  'space/soon.js': 'a promise',
  'space/statistics.js': PEOPLE,
};

const MESSAGES = 'makes messages, statistics or snapshots for people';
const WAITED_FOR = 'how many wait: for people, and for dispose(), which refuses then; see test/space.test.ts';
const OPTIONS = 'checks arguments, or makes lock objects from them';
const BYTES = 'works on bytes or numbers alone, under the space latch: no other thread comes in between';
const TUNING = 'a duration or a count that was chosen by measuring; another one is as right';
const DERIVED = 'says what the lock is, and decides nothing';

/** Functions and constants by module: why they are not mutated. */
export const excluded = {
  'parker/thread.js': {},
  'primitives/acquire.js': {
    MAX_DELAY: 'a limit of timers, 25 days; the model has no such timeouts',
    contended: MESSAGES,
    expired: MESSAGES,
    timedOut: MESSAGES,
    infoOf: MESSAGES,
    describeLock: MESSAGES,
    holdersOf: MESSAGES,
  },
  'primitives/mutex.js': {
    HANDLE_TYPE: DERIVED,
    'Mutex.from': OPTIONS,
    'Mutex.handle': DERIVED,
    'way.isOwn': DERIVED,
    'way.obstacle': 'refuses a request that could never be granted: no program of the model makes one',
    obtainMutex: OPTIONS,
  },
  'primitives/read-write-lock.js': {
    HANDLE_TYPE: DERIVED,
    'reading.isOwn': DERIVED,
    'writing.isOwn': DERIVED,
    'reading.obstacle': 'refuses a request that could never be granted: no program of the model makes one',
    'writing.obstacle': 'refuses a request that could never be granted: no program of the model makes one',
    'ReadWriteLock.from': OPTIONS,
    obtainReadWriteLock: OPTIONS,
  },
  'primitives/semaphore.js': {
    HANDLE_TYPE: DERIVED,
    'way.isOwn': DERIVED,
    'way.obstacle': 'refuses a request that could never be granted: no program of the model makes one',
    'Semaphore.from': OPTIONS,
    'Semaphore.$checkedWeight': OPTIONS,
    'Semaphore.availableSync': MESSAGES,
    obtainSemaphore: OPTIONS,
  },
  'space/cell.js': {
    SLICE: TUNING,
    WATCH: TUNING,
    'Cell.noteContended': MESSAGES,
    'Cell.$notePending': WAITED_FOR,
    'Cell.noteTimeout': MESSAGES,
    'Cell.ownSharedGuards': MESSAGES,
  },
  'space/cells.js': {
    KIND_NAMES: MESSAGES,
    MAX_NAME_BYTES: OPTIONS,
    checkName: OPTIONS,
    cellNumber: BYTES,
    findCell: OPTIONS,
    checkSame: OPTIONS,
    isSameKind: OPTIONS,
    nameOf: MESSAGES,
    nameBytes: BYTES,
    hash: BYTES,
    writeName: BYTES,
  },
  'space/latch.js': { SLICE: TUNING, SPINS: TUNING },
  'space/presence.js': { 'Presence.isWaitedFor': WAITED_FOR },
  'space/threads.js': {
    PROBE_INTERVAL: TUNING,
    debug: MESSAGES,
    'Attachment.describe': MESSAGES,
    'Attachment.buryWorker': 'called when a worker ends, which runtime.ts is told: test/death.test.ts',
  },
  'space/waiters.js': { LAPSE: TUNING, STARVATION: TUNING, PASSES_MASK: TUNING },
};

/** Names of offsets in the memory: where a word lies is no question of concurrency, and any test finds a wrong one. */
const OFFSET = /^(HEADER|THREAD|CELL|ABOUT|STATS|RECORD)_/;
const isOffset = (node) => ts.isIdentifier(node) && OFFSET.test(node.text);
/** `base + OFFSET`, and half of it in `doubles[(base + OFFSET_F64) >> 1]`. */
export function isAddress(node) {
  if (!ts.isBinaryExpression(node)) return false;
  const { left, right, operatorToken } = node;
  if (operatorToken.kind === ts.SyntaxKind.PlusToken) return isOffset(right);
  const isHalf = operatorToken.kind === ts.SyntaxKind.GreaterThanGreaterThanToken && right.getText() === '1';
  return isHalf && ts.isParenthesizedExpression(left) && isAddress(left.expression);
}

/** `1 << 24`: which bit a flag has, is a choice. */
const isBit = (node) =>
  ts.isBinaryExpression(node) &&
  node.operatorToken.kind === ts.SyntaxKind.LessThanLessThanToken &&
  ts.isNumericLiteral(node.left) &&
  ts.isNumericLiteral(node.right);

/** Calls that only tell people, wherever they are made. */
const TELLING = new Set([
  'debug',
  'recordWait',
  'recordAcquiredAt',
  'noteContended',
  'noteTimeout',
  '#notePending',
]);

/** Counters of holds that began, ended or were lost: for statistics, and to tell of guards that were lost. */
const COUNTING =
  /^(doubles\[|tether\.held|lost\b|let lost\b|this\.stats = |const (begun|ended)\b|Atomics\.add\(words, this\.stats|Atomics\.store\(words, record \+ RECORD_PENDING)/;

export function isExcluded(file, node, pathOf) {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isThrowStatement(node)) return true;
  // `words[at] ?? 0`: the fallback is for the type checker.
  if (ts.isNumericLiteral(node) && isFallback(node)) return true;
  if (isBit(node)) return true;
  if (ts.isNumericLiteral(node) && isAddress(node.parent)) return true;
  if (isTelling(node) || (ts.isIfStatement(node) && isTelling(node.thenStatement))) return true;
  if (ts.isStatement(node) && COUNTING.test(node.getText())) return true;
  const functions = excluded[file] ?? {};
  const isNamed = ts.isFunctionLike(node) || ts.isVariableDeclaration(node) || ts.isPropertyAssignment(node);
  return isNamed && Object.hasOwn(functions, pathOf(node).replaceAll('#', '$'));
}

function isTelling(node) {
  if (!ts.isExpressionStatement(node) || !ts.isCallExpression(node.expression)) return false;
  const { expression } = node.expression;
  const callee = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
  return TELLING.has(callee.text);
}

const isFallback = ({ parent }) =>
  ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken;
