/**
 * Turns a module of the library into one whose functions can be stopped at every Atomics operation.
 *
 * Every function that may reach an operation becomes a generator, and an operation becomes a `yield`: whoever drives
 * the generator decides when it happens, and what it returns. Which functions may reach one is found by name, over
 * all modules together: a function does if it contains an operation, an `await`, a call of a parameter, or a call of
 * anything that has the name of a function that does. A call by such a name looks at run time whether it got a
 * generator; so a false alarm costs time, and nothing else.
 *
 * Constructors and accessors cannot be generators. An operation they reach happens at once.
 */
import { basename } from 'node:path';
import ts from 'typescript';

const { factory: f, SyntaxKind } = ts;

/** Callbacks of these run inside the engine, which knows nothing of generators. */
const NATIVE_VISITORS = new Set([
  'map',
  'filter',
  'forEach',
  'find',
  'some',
  'every',
  'reduce',
  'sort',
  'toSorted',
  'from',
]);

/**
 * @param {Map<string, string>} sources by path
 * @param {{ edges?: boolean }} options `edges`: also stop, for a death only, at function entries and loop edges
 * @returns {Map<string, string>} bodies of functions of `$` and `$import`, which return the module's exports
 */
export function transformModules(sources, { edges = false } = {}) {
  const files = [...sources].map(([path, text]) =>
    ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS),
  );
  const names = stoppingNames(files);
  return new Map(files.map((file) => [file.fileName, printModule(file, names, edges)]));
}

const isFunction = (node) =>
  ts.isFunctionDeclaration(node) ||
  ts.isFunctionExpression(node) ||
  ts.isArrowFunction(node) ||
  ts.isMethodDeclaration(node);
const cannotStop = (node) => ts.isConstructorDeclaration(node) || ts.isAccessor(node);
const isAsync = (node) => node.modifiers?.some(({ kind }) => kind === SyntaxKind.AsyncKeyword) ?? false;
const isAtomics = (node) =>
  ts.isCallExpression(node) &&
  ts.isPropertyAccessExpression(node.expression) &&
  node.expression.expression.getText() === 'Atomics';

/** A read of shared memory without Atomics: part of what the thread has seen. */
function isPlainRead(node) {
  if (!ts.isElementAccessExpression(node) || !/(^|\.)(words|doubles)$/.test(node.expression.getText()))
    return false;
  const { parent } = node;
  return !(
    ts.isBinaryExpression(parent) &&
    parent.left === node &&
    parent.operatorToken.kind === SyntaxKind.EqualsToken
  );
}

/** What a function is called by. */
function nameOf(node) {
  if (node.name !== undefined) return node.name.text;
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent))
    return parent.name.text;
  if (ts.isBinaryExpression(parent) && parent.right === node && ts.isPropertyAccessExpression(parent.left))
    return parent.left.name.text;
  return undefined;
}

/** What a call calls. */
function calleeOf({ expression }) {
  if (ts.isIdentifier(expression)) return expression.text;
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : undefined;
}

function parametersAround(node) {
  const names = new Set();
  const add = (name) => {
    if (ts.isIdentifier(name)) names.add(name.text);
    else for (const element of name.elements) if (!ts.isOmittedExpression(element)) add(element.name);
  };
  for (let at = node; at !== undefined; at = at.parent) for (const { name } of at.parameters ?? []) add(name);
  return names;
}

/** The names by which something may be called that stops. */
function stoppingNames(files) {
  const functions = [];
  const visit = (node) => {
    if (isFunction(node) && node.body !== undefined && node.asteriskToken === undefined)
      functions.push(summaryOf(node));
    ts.forEachChild(node, visit);
  };
  for (const file of files) visit(file);
  const names = new Set();
  for (let size = -1; size !== names.size;) {
    size = names.size;
    for (const one of functions) {
      one.stops ||= one.calls.some((name) => names.has(name));
      if (one.stops && one.name !== undefined) names.add(one.name);
    }
  }
  return names;
}

function summaryOf(node) {
  const parameters = parametersAround(node);
  const summary = { name: nameOf(node), stops: isAsync(node), calls: [] };
  const visit = (child) => {
    if (isFunction(child)) return;
    if (isAtomics(child)) summary.stops = true;
    else if (ts.isCallExpression(child)) {
      const callee = calleeOf(child);
      if (ts.isIdentifier(child.expression) && parameters.has(callee)) summary.stops = true;
      else if (callee !== undefined) summary.calls.push(callee);
    } else if (ts.isNewExpression(child) && child.expression.getText() === 'Promise') summary.stops = true;
    ts.forEachChild(child, visit);
  };
  if (ts.isBlock(node.body)) ts.forEachChild(node.body, visit);
  else visit(node.body);
  return summary;
}

function printModule(file, names, edges) {
  const result = ts.transform(file, [(context) => (root) => rewrite(root, context, names, edges)]);
  const text = ts.createPrinter({ removeComments: true }).printFile(result.transformed[0]);
  result.dispose();
  return `'use strict';\nconst { $atomic, $read, $Generator, $run, $async, $await, $Promise, Promise, queueMicrotask, process, FinalizationRegistry, globalThis } = $;\nconst $exports = {};\n${text}\nreturn $exports;\n//# sourceURL=model:${basename(file.fileName)}\n`;
}

const id = (name) => f.createIdentifier(name);
const call = (name, ...args) => f.createCallExpression(id(name), undefined, args);
const yields = (value) => f.createParenthesizedExpression(f.createYieldExpression(undefined, value));
const delegates = (value) =>
  f.createParenthesizedExpression(f.createYieldExpression(f.createToken(SyntaxKind.AsteriskToken), value));

function rewrite(root, context, names, edges) {
  /** How the function around says that it stops: 'yield' in a generator, 'run' where it cannot. */
  let manner = 'run';
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) return importOf(node);
    if (ts.isExportDeclaration(node)) return exportOf(node);
    if (cannotStop(node)) return within('run', node, (inner) => ts.visitEachChild(inner, visit, context));
    if (isFunction(node) && node.body !== undefined) return functionOf(node);
    if (isAtomics(node)) return operationOf(node);
    if (ts.isCallExpression(node)) return callOf(node);
    if (isPlainRead(node)) return readOf(node);
    if (ts.isNewExpression(node) && node.expression.getText() === 'Promise') return promiseOf(node);
    if (ts.isAwaitExpression(node)) return yields(call('$await', ts.visitNode(node.expression, visit)));
    if (edges && ts.isIterationStatement(node, false)) return loopOf(ts.visitEachChild(node, visit, context));
    return ts.visitEachChild(node, visit, context);
  };

  const within = (inner, node, make) => {
    const outer = manner;
    manner = inner;
    const made = make(node);
    manner = outer;
    return made;
  };

  const loopOf = (node) => {
    if (manner !== 'yield') return node;
    const point = f.createExpressionStatement(yields(id('undefined')));
    const body = f.createBlock([point, node.statement]);
    if (ts.isForStatement(node))
      return f.updateForStatement(node, node.initializer, node.condition, node.incrementor, body);
    if (ts.isForOfStatement(node))
      return f.updateForOfStatement(node, node.awaitModifier, node.initializer, node.expression, body);
    if (ts.isWhileStatement(node)) return f.updateWhileStatement(node, node.expression, body);
    throw new Error(`no rule for ${SyntaxKind[node.kind]}`);
  };

  const functionOf = (node) => {
    const summary = summaryOf(node);
    const stops =
      node.asteriskToken === undefined && (summary.stops || summary.calls.some((name) => names.has(name)));
    if (!stops) {
      return exported(
        within('run', node, () => ts.visitEachChild(node, visit, context)),
        node,
      );
    }
    const { parent } = node;
    if (ts.isCallExpression(parent) && NATIVE_VISITORS.has(calleeOf(parent)))
      throw new Error(`${root.fileName}: a callback of ${calleeOf(parent)} reaches an operation`);
    const parameters = node.parameters.map((parameter) => ts.visitNode(parameter, visit));
    let body = within('yield', node, () => ts.visitNode(node.body, visit));
    if (!ts.isBlock(body)) body = f.createBlock([f.createReturnStatement(body)]);
    const local = f.createVariableStatement(
      undefined,
      f.createVariableDeclarationList([f.createVariableDeclaration('$t')], ts.NodeFlags.Let),
    );
    const start = edges ? [local, f.createExpressionStatement(yields(id('undefined')))] : [local];
    body = f.createBlock([...start, ...body.statements], true);
    if (isAsync(node)) {
      const inner = f.createFunctionExpression(
        undefined,
        f.createToken(SyntaxKind.AsteriskToken),
        undefined,
        undefined,
        [],
        undefined,
        body,
      );
      const bound = f.createCallExpression(
        f.createPropertyAccessExpression(f.createParenthesizedExpression(inner), 'bind'),
        undefined,
        [id('this')],
      );
      body = f.createBlock([f.createReturnStatement(delegates(call('$async', bound)))], true);
    }
    const star = f.createToken(SyntaxKind.AsteriskToken);
    const modifiers = node.modifiers?.filter(({ kind }) => kind === SyntaxKind.StaticKeyword);
    if (ts.isFunctionDeclaration(node))
      return exported(
        f.createFunctionDeclaration(undefined, star, node.name, undefined, parameters, undefined, body),
        node,
      );
    if (ts.isMethodDeclaration(node))
      return f.createMethodDeclaration(
        modifiers,
        star,
        node.name,
        undefined,
        undefined,
        parameters,
        undefined,
        body,
      );
    const made = f.createFunctionExpression(
      undefined,
      star,
      node.name,
      undefined,
      parameters,
      undefined,
      body,
    );
    if (!ts.isArrowFunction(node)) return made;
    return f.createCallExpression(
      f.createPropertyAccessExpression(f.createParenthesizedExpression(made), 'bind'),
      undefined,
      [id('this')],
    );
  };

  const operationOf = (node) => {
    const args = node.arguments.map((argument) => ts.visitNode(argument, visit));
    const made = call('$atomic', f.createStringLiteral(node.expression.name.text), ...args);
    return manner === 'yield' ? yields(made) : call('$run', made);
  };

  const readOf = ({ expression, argumentExpression }) =>
    call('$read', ts.visitNode(expression, visit), ts.visitNode(argumentExpression, visit));

  const stopsByName = (node) => {
    const callee = calleeOf(node);
    if (callee === undefined) return false;
    return names.has(callee) || (ts.isIdentifier(node.expression) && parametersAround(node).has(callee));
  };

  const callOf = (node) => {
    const made = ts.visitEachChild(node, visit, context);
    if (node.expression.kind === SyntaxKind.SuperKeyword || !stopsByName(node)) return made;
    if (manner === 'run') return call('$run', made);
    const assigned = f.createParenthesizedExpression(f.createAssignment(id('$t'), made));
    const is = f.createBinaryExpression(assigned, SyntaxKind.InstanceOfKeyword, id('$Generator'));
    return f.createParenthesizedExpression(
      f.createConditionalExpression(is, undefined, delegates(id('$t')), undefined, id('$t')),
    );
  };

  const promiseOf = (node) => {
    const made = call('$Promise.make', ts.visitNode(node.arguments[0], visit));
    return manner === 'yield' ? delegates(made) : call('$run', made);
  };

  const importOf = (node) => {
    const path = node.moduleSpecifier;
    const bindings = node.importClause?.namedBindings;
    if (bindings === undefined) return f.createExpressionStatement(call('$import', path));
    const elements = bindings.elements.map((one) =>
      f.createBindingElement(undefined, one.propertyName, one.name),
    );
    return declaration(f.createObjectBindingPattern(elements), call('$import', path));
  };

  const declaration = (name, value) =>
    f.createVariableStatement(
      undefined,
      f.createVariableDeclarationList(
        [f.createVariableDeclaration(name, undefined, undefined, value)],
        ts.NodeFlags.Const,
      ),
    );

  const exportOf = (node) => {
    if (node.exportClause === undefined) throw new Error(`${root.fileName}: no rule for export *`);
    const from = node.moduleSpecifier && call('$import', node.moduleSpecifier);
    return node.exportClause.elements.map(({ name, propertyName }) => {
      const source = propertyName ?? name;
      return exporting(name, from ? f.createPropertyAccessExpression(from, source) : source);
    });
  };

  const exporting = (name, value) =>
    f.createExpressionStatement(
      f.createAssignment(f.createPropertyAccessExpression(id('$exports'), name), value),
    );

  /** A declaration without `export`, and its assignment to the exports. */
  const exported = (made, node) => {
    if (!node.modifiers?.some(({ kind }) => kind === SyntaxKind.ExportKeyword)) return made;
    const stripped = ts.isFunctionDeclaration(made)
      ? f.updateFunctionDeclaration(
          made,
          undefined,
          made.asteriskToken,
          made.name,
          undefined,
          made.parameters,
          undefined,
          made.body,
        )
      : made;
    return [stripped, exporting(node.name, node.name)];
  };

  const statement = (node) => {
    const isExported = node.modifiers?.some(({ kind }) => kind === SyntaxKind.ExportKeyword);
    if (!isExported || ts.isFunctionDeclaration(node)) return visit(node);
    const made = ts.visitEachChild(node, visit, context);
    if (ts.isClassDeclaration(made))
      return [
        f.updateClassDeclaration(made, undefined, made.name, undefined, made.heritageClauses, made.members),
        exporting(node.name, node.name),
      ];
    const { declarations } = node.declarationList;
    return [
      f.updateVariableStatement(made, undefined, made.declarationList),
      ...declarations.map(({ name }) => exporting(name, name)),
    ];
  };

  return f.updateSourceFile(
    root,
    root.statements.flatMap((node) => statement(node) ?? []),
  );
}
