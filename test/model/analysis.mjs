/** What the transformation has to know of a module's code: who may stop, and which locals a stop may still need. */
import ts from 'typescript';

const { SyntaxKind } = ts;

export const isFunction = (node) =>
  ts.isFunctionDeclaration(node) ||
  ts.isFunctionExpression(node) ||
  ts.isArrowFunction(node) ||
  ts.isMethodDeclaration(node);
export const cannotStop = (node) => ts.isConstructorDeclaration(node) || ts.isAccessor(node);
export const isAsync = (node) =>
  node.modifiers?.some(({ kind }) => kind === SyntaxKind.AsyncKeyword) ?? false;
export const isAtomics = (node) =>
  ts.isCallExpression(node) &&
  ts.isPropertyAccessExpression(node.expression) &&
  node.expression.expression.getText() === 'Atomics';
export const isNewPromise = (node) => ts.isNewExpression(node) && node.expression.getText() === 'Promise';

/**
 * What shared memory is called, and its counters, which nobody reads to decide anything. Fences are read and written by
 * owners only: that a death can strike there is all there is to them.
 */
export const SHARED = /(^|\.)(words|doubles|fences)$/;
export const COUNTERS = /(^|\.)doubles$/;
export const RACING = /(^|\.)words$/;
const isElement = (node, of) => ts.isElementAccessExpression(node) && of.test(node.expression.getText());

/** `words[at] = value`: a store to shared memory without Atomics. */
export const isPlainStore = (node, of) =>
  ts.isBinaryExpression(node) &&
  node.operatorToken.kind === SyntaxKind.EqualsToken &&
  isElement(node.left, of);
export const isPlainRead = (node, of) => isElement(node, of) && !isPlainStore(node.parent, of);

/** What a function is called by. */
export function nameOf(node) {
  if (node.name !== undefined) return node.name.text;
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent))
    return parent.name.text;
  if (ts.isBinaryExpression(parent) && parent.right === node && ts.isPropertyAccessExpression(parent.left))
    return parent.left.name.text;
  return undefined;
}

/** What a call calls. */
export function calleeOf({ expression }) {
  if (ts.isIdentifier(expression)) return expression.text;
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : undefined;
}

/** Names of what may be any function: parameters, and what a loop goes through. */
function unknownAround(node) {
  const names = new Set();
  for (let at = node; at !== undefined; at = at.parent) {
    const isLoop = ts.isForOfStatement(at) && ts.isVariableDeclarationList(at.initializer);
    const declared = isLoop ? at.initializer.declarations : (at.parameters ?? []);
    for (const { name } of declared) for (const one of namesIn(name)) names.add(one);
  }
  return names;
}

function namesIn(name) {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : namesIn(element.name)));
}

/**
 * The names by which something may be called that stops; over all modules together. `stops`: functions with only stores do
 * (`atStores`), or all of them (`atEntries`).
 */
export function stoppingNames(files, stops = {}) {
  const functions = [];
  const visit = (node) => {
    if (isFunction(node) && node.body !== undefined && node.asteriskToken === undefined)
      functions.push(summaryOf(node, stops));
    ts.forEachChild(node, visit);
  };
  for (const file of files) visit(file);
  // Of AsyncLocalStorage, which calls its argument; and the questions to the system who lives.
  const names = new Set(['run', 'isAlive', 'isRunning']);
  // What is entered elsewhere: a function without a name that is given to a constructor, and what Node.js has.
  const entered = [
    '#parkWordOf',
    'queueMicrotask',
    'setTimeout',
    'setInterval',
    'clearTimeout',
    'clearInterval',
  ];
  if (stops.atEntries) for (const name of entered) names.add(name);
  for (let size = -1; size !== names.size;) {
    size = names.size;
    for (const one of functions) {
      one.stops ||= one.calls.some((name) => names.has(name));
      if (one.stops && one.name !== undefined) names.add(one.name);
    }
  }
  return names;
}

/** Callbacks of these run inside the engine, which knows nothing of generators. */
const NATIVE_VISITORS = new Set([
  'map',
  'filter',
  'flatMap',
  'forEach',
  'find',
  'findIndex',
  'findLast',
  'findLastIndex',
  'some',
  'every',
  'reduce',
  'reduceRight',
  'replace',
  'sort',
  'toSorted',
  'from',
]);

export const isVisitor = ({ parent }) => ts.isCallExpression(parent) && NATIVE_VISITORS.has(calleeOf(parent));

/** Does all it does come before the one call whose result it returns? Then it need not stop, it can return who does. */
export function isForwarding(node, stopsByName) {
  const { body } = node;
  const [only] = ts.isBlock(body) ? body.statements : [];
  const result = ts.isBlock(body)
    ? body.statements.length === 1 && ts.isReturnStatement(only) && only.expression
    : body;
  const isCalm = node.parameters.every((one) => !mayStop(one, stopsByName));
  return (
    isCalm && !isAsync(node) && result !== false && result !== undefined && forwards(result, stopsByName)
  );
}

function forwards(node, stopsByName) {
  const isCalm = (one) => !mayStop(one, stopsByName);
  if (isCalm(node)) return true;
  if (ts.isParenthesizedExpression(node)) return forwards(node.expression, stopsByName);
  if (ts.isConditionalExpression(node))
    return (
      isCalm(node.condition) && [node.whenTrue, node.whenFalse].every((one) => forwards(one, stopsByName))
    );
  return ts.isCallExpression(node) && !isAtomics(node) && [node.expression, ...node.arguments].every(isCalm);
}

function mayStop(node, stopsByName) {
  if (isFunction(node)) return false;
  if (
    isAtomics(node) ||
    isNewPromise(node) ||
    ts.isAwaitExpression(node) ||
    ts.isElementAccessExpression(node)
  )
    return true;
  if (ts.isCallExpression(node) && stopsByName(node)) return true;
  return ts.forEachChild(node, (child) => mayStop(child, stopsByName)) ?? false;
}

/** Does it call a parameter, or an element of something? It may stop then. */
export function isUnknown(node) {
  const { expression } = node;
  return ts.isIdentifier(expression)
    ? unknownAround(node).has(expression.text)
    : ts.isElementAccessExpression(expression);
}

export function summaryOf(node, { atStores = false, atEntries = false }) {
  const name = nameOf(node);
  const summary = { name, stops: isAsync(node) || (atEntries && name !== undefined), calls: [] };
  const visit = (child) => {
    if (isFunction(child)) return;
    if (isAtomics(child) || (atStores && isPlainStore(child, SHARED))) summary.stops = true;
    else if (ts.isCallExpression(child)) {
      const callee = calleeOf(child);
      if (isUnknown(child)) summary.stops = true;
      else if (callee !== undefined) summary.calls.push(callee);
    } else if (isNewPromise(child)) summary.stops = true;
    ts.forEachChild(child, visit);
  };
  if (ts.isBlock(node.body)) ts.forEachChild(node.body, visit);
  else visit(node.body);
  return summary;
}

const isScope = (node) =>
  ts.isBlock(node) || ts.isIterationStatement(node, false) || ts.isCatchClause(node) || ts.isCaseBlock(node);

/** The variables of one function, without those of functions inside it: name, scope, and from where on they are set. */
function variablesOf(fn) {
  if (fn.$variables !== undefined) return fn.$variables;
  const variables = [];
  const add = (name, scope, from, iterates = false) => {
    for (const one of namesIn(name)) variables.push({ name: one, scope, from, iterates });
  };
  for (const { name } of fn.parameters) add(name, fn, fn.body.pos);
  const visit = (node, scope) => {
    if (isFunction(node) || ts.isClassLike(node)) return;
    const inner = isScope(node) ? node : scope;
    if (ts.isVariableDeclaration(node)) {
      const loop = node.parent.parent;
      const iterates = ts.isForOfStatement(loop);
      if (ts.isCatchClause(node.parent)) add(node.name, node.parent, node.end);
      else add(node.name, inner, iterates ? loop.statement.pos : node.end, iterates);
    }
    ts.forEachChild(node, (child) => visit(child, inner));
  };
  visit(fn.body, fn);
  fn.$variables = variables;
  return variables;
}

/** Where each name is mentioned in a function: position, and whether in a function inside it. */
function mentionsOf(fn) {
  if (fn.$mentions !== undefined) return fn.$mentions;
  const mentions = new Map();
  const visit = (node, nested) => {
    const isMember =
      (ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) ||
      (ts.isPropertyAssignment(node.parent) && node.parent.name === node);
    if (ts.isIdentifier(node) && !isMember) {
      if (!mentions.has(node.text)) mentions.set(node.text, []);
      mentions.get(node.text).push({ at: node.pos, nested });
    }
    const inside = nested || isFunction(node) || ts.isClassLike(node);
    ts.forEachChild(node, (child) => visit(child, inside));
  };
  visit(fn.body, false);
  fn.$mentions = mentions;
  return mentions;
}

const contains = (outer, inner) => outer.pos <= inner.pos && inner.end <= outer.end;

/** Names of the locals of `fn` that code after `site` may still read. */
export function localsAt(site, fn) {
  const mentions = mentionsOf(fn);
  const names = new Set();
  for (const { name, scope, from, iterates } of variablesOf(fn)) {
    if (!contains(scope, site) || from > site.pos) continue;
    const all = mentions.get(name) ?? [];
    const isLive =
      iterates || // It stands for the place in the iteration.
      all.some(({ at, nested }) => nested || at >= site.end) ||
      loopsAround(site, fn).some(
        (loop) =>
          from <= loop.statement.pos &&
          all.some(({ at }) => loop.pos <= at && at < loop.end) &&
          (contains(scope, loop) || scope === loop),
      );
    if (isLive) names.add(name);
  }
  return [...names];
}

function loopsAround(site, fn) {
  const loops = [];
  for (let at = site.parent; at !== fn; at = at.parent)
    if (ts.isIterationStatement(at, false)) loops.push(at);
  return loops;
}

/** Names of variables of the functions around `fn` that it mentions. */
export function captured(fn) {
  const names = new Set();
  const mentions = mentionsOf(fn);
  for (let at = fn.parent; at !== undefined; at = at.parent)
    if ((isFunction(at) || cannotStop(at)) && at.body !== undefined)
      for (const { name } of variablesOf(at)) if (mentions.has(name)) names.add(name);
  for (const { name } of variablesOf(fn)) names.delete(name);
  return [...names];
}

/** Is none of the variables it has captured ever assigned to, once the function is there? */
export function isConstant(fn) {
  const names = new Set(captured(fn));
  if (names.size === 0) return true;
  let outermost = fn;
  for (let at = fn.parent; at !== undefined; at = at.parent)
    if (isFunction(at) || cannotStop(at)) outermost = at;
  let found = true;
  const visit = (node) => {
    const isAssignment =
      ts.isBinaryExpression(node) &&
      node.operatorToken.kind >= SyntaxKind.FirstAssignment &&
      node.operatorToken.kind <= SyntaxKind.LastAssignment;
    const target = isAssignment
      ? node.left
      : ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)
        ? node.operand
        : undefined;
    if (target !== undefined && ts.isIdentifier(target) && names.has(target.text)) found = false;
    ts.forEachChild(node, visit);
  };
  visit(outermost);
  return found;
}

/** Does its code say `this`, and mean that of the function around it or its own object? */
export function mentionsThis(fn) {
  let found = false;
  const visit = (node) => {
    if (node.kind === SyntaxKind.ThisKeyword || node.kind === SyntaxKind.SuperKeyword) found = true;
    if (ts.isFunctionExpression(node) || ts.isFunctionDeclaration(node) || ts.isClassLike(node)) return;
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(fn, visit);
  return found;
}

/** Is the `return` inside a `try` whose `finally` runs after it? */
export function returnsThroughFinally(node) {
  for (let at = node; !isFunction(at) && !cannotStop(at); at = at.parent)
    if (ts.isTryStatement(at.parent) && at.parent.finallyBlock !== undefined && at !== at.parent.finallyBlock)
      return true;
  return false;
}
