/**
 * Turns a module of the library into one whose functions can be stopped at every operation on shared memory.
 *
 * Every function that may reach an operation becomes a generator, and an operation becomes a `yield`: whoever drives
 * the generator decides when it happens, and what it returns. Which functions may reach one is found by name, over
 * all modules together: a function does if it contains an operation, an `await`, a call of a parameter, or a call of
 * anything that has the name of a function that does. A call by such a name looks at run time whether it got a
 * generator; so a false alarm costs time, and nothing else.
 *
 * Constructors, accessors and default values of parameters cannot be generators. An operation they reach happens at once.
 */
import { basename } from 'node:path';
import ts from 'typescript';
import {
  calleeOf,
  cannotStop,
  captured,
  isConstant,
  isAsync,
  isAtomics,
  isForwarding,
  isFunction,
  isNewPromise,
  isPlainRead,
  isPlainStore,
  isUnknown,
  isVisitor,
  localsAt,
  mentionsThis,
  nameOf,
  returnsThroughFinally,
  stoppingNames,
  summaryOf,
} from './analysis.mjs';
import { Site } from './site.mjs';
import { array, asyncOf, call, constant, delegates, id, parameter, thunk, yields } from './syntax.mjs';

const { factory: f, SyntaxKind } = ts;

/** @param {Map<string, string>} sources by path */
export const parseModules = (sources) =>
  new Map([...sources].map(([path, text]) => [path, parse(path, text)]));

/**
 * @param {Map<string, ts.SourceFile>} files by path: functions stop by the names of those in all of them
 * @param {object} options
 * - `edges(path)`: in which modules to stop also, for a death only, at function entries and loop edges, as `terminate()` can strike there;
 * - `plain(path)`: which `stores` and `reads` without Atomics are operations as well: what the array is called; and
 *   which of those stores are `hidden`: nobody reads what they write before the thread's next operation, or its death;
 * - `stops`: which functions do besides those that reach an operation, see `stoppingNames`;
 * - `captures`: let frames and closures tell what their locals are, so that a state can be told from another;
 * - `sites`: what operations refer to, by index; filled.
 * @returns {(path: string, text?: string) => string} of a module, or of another text of it, the body of a function of `$` and
 * `$import`, which returns the module's exports
 */
export function transformer(files, options) {
  const names = stoppingNames([...files.values()], options.stops);
  return (path, text) => transform(text === undefined ? files.get(path) : parse(path, text), names, options);
}

/** A private field that is given a value elsewhere: without `#`, to declare it would be to give it one, and take time. */
const isDeclaredOnly = (node) =>
  ts.isPropertyDeclaration(node) && ts.isPrivateIdentifier(node.name) && node.initializer === undefined;

const parse = (path, text) => ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS);

function transform(file, names, { edges, plain, stops, captures, sites }) {
  const { fileName } = file;
  const own = { edges: edges(fileName), plain: plain(fileName) };
  return printModule(file, { names, captures, sites, stops, ...own });
}

/** What a module finds in its environment instead of what Node.js has. */
const ENVIRONMENT =
  '$atomic, $EDGE, $ENTRY, $mortality, $enter, $top, $closure, $Generator, $run, $async, $await, $Promise, Promise, queueMicrotask, process, FinalizationRegistry, WeakMap, WeakRef, AbortSignal, globalThis';

function printModule(file, options) {
  const result = ts.transform(file, [(context) => (root) => rewrite(root, context, options)]);
  const text = ts.createPrinter({ removeComments: true }).printFile(result.transformed[0]);
  result.dispose();
  return `'use strict';\nconst { ${ENVIRONMENT} } = $;\nconst $exports = {};\n${text}\nreturn $exports;\n//# sourceURL=model:${basename(file.fileName)}\n`;
}

function rewrite(root, context, { names, edges, captures, sites, stops: own, plain }) {
  /** How the function around says that it stops: 'yield' in a generator, 'pass' what it calls on, 'run' where it cannot. */
  let manner = 'run';
  /** The function around, if it stops. */
  let around;
  let className = '';
  let points = 0;

  const visit = (node) => {
    if (ts.isImportDeclaration(node)) return importOf(node);
    if (ts.isExportDeclaration(node)) return exportOf(node);
    if (isDeclaredOnly(node)) return undefined;
    if (ts.isPrivateIdentifier(node)) return id(`$${className}_${node.text.slice(1)}`);
    if (ts.isClassLike(node)) return classOf(node);
    if (cannotStop(node)) return within('run', node, (inner) => ts.visitEachChild(inner, visit, context));
    if (isFunction(node) && node.body !== undefined) return functionOf(node);
    if (isAtomics(node)) return operationOf(node, node.expression.name.text, node.arguments);
    if (plain?.stores && isPlainStore(node, plain.stores)) return plainStoreOf(node);
    if (plain?.reads && isPlainRead(node, plain.reads)) return plainReadOf(node);
    if (ts.isCallExpression(node)) return callOf(node);
    if (isNewPromise(node)) return promiseOf(node);
    if (ts.isAwaitExpression(node)) return awaitOf(node);
    if (captures && ts.isReturnStatement(node) && node.expression) return returnOf(node);
    if (edges && ts.isIterationStatement(node, false)) return loopOf(node);
    return ts.visitEachChild(node, visit, context);
  };

  const within = (inner, node, make) => {
    const outer = [manner, around];
    manner = inner;
    around = inner === 'yield' ? node : undefined;
    const made = make(node);
    [manner, around] = outer;
    return made;
  };

  const classOf = (node) => {
    const outer = className;
    className = node.name?.text ?? 'anonymous';
    const made = ts.visitEachChild(node, visit, context);
    className = outer;
    return made;
  };

  /** What follows is about to stop at `node`: tells which locals the function still needs. */
  const told = (node, value) => {
    if (!captures || around === undefined) return value;
    const locals = localsAt(node, around).map(id);
    return call('$top', id('$f'), f.createNumericLiteral(points++), array(locals), value);
  };

  /** A stop where a thread can die, or its stack be full, as long as that is possible. */
  const edgeAt = (node, edge = '$EDGE') => {
    const stop = f.createExpressionStatement(yields(told(node, id(edge))));
    return f.createIfStatement(f.createPropertyAccessExpression(id('$mortality'), 'isLeft'), stop);
  };

  const loopOf = (node) => {
    const made = ts.visitEachChild(node, visit, context);
    if (manner !== 'yield') return made;
    const point = edgeAt(node.statement);
    const body = f.createBlock([point, made.statement]);
    if (ts.isForStatement(node))
      return f.updateForStatement(made, made.initializer, made.condition, made.incrementor, body);
    if (ts.isForInStatement(node))
      return f.updateForInStatement(made, made.initializer, made.expression, body);
    if (ts.isForOfStatement(node))
      return f.updateForOfStatement(made, made.awaitModifier, made.initializer, made.expression, body);
    if (ts.isWhileStatement(node)) return f.updateWhileStatement(made, made.expression, body);
    throw new Error(`no rule for ${SyntaxKind[node.kind]}`);
  };

  const functionOf = (node) => {
    const summary = summaryOf(node, own);
    const stops =
      node.asteriskToken === undefined && (summary.stops || summary.calls.some((name) => names.has(name)));
    if (!stops) {
      const made = within('run', node, () => ts.visitEachChild(node, visit, context));
      return exported(closed(made, node), node);
    }
    if (isVisitor(node))
      throw new Error(`${root.fileName}: a callback of ${calleeOf(node.parent)} reaches an operation`);
    if (!captures && !edges && isForwarding(node, stopsByName)) {
      const made = within('pass', node, () => ts.visitEachChild(node, visit, context));
      return exported(closed(made, node), node);
    }
    // No generator can stop at the default value of a parameter.
    const parameters = node.parameters.map((one) => within('run', one, () => ts.visitNode(one, visit)));
    if (ts.isArrowFunction(node) && isConstant(node)) return closed(hoistedOf(node, parameters), node);
    const body = within('yield', node, () => generatorBody(node));
    const star = f.createToken(SyntaxKind.AsteriskToken);
    const modifiers = node.modifiers?.filter(({ kind }) => kind === SyntaxKind.StaticKeyword);
    if (ts.isFunctionDeclaration(node)) {
      const made = f.createFunctionDeclaration(
        undefined,
        star,
        node.name,
        undefined,
        parameters,
        undefined,
        body,
      );
      if (isAsync(node)) {
        const [generator, starter] = asyncOf(node, made);
        return [generator, exported(starter, node)].flat();
      }
      return exported(made, node);
    }
    if (ts.isMethodDeclaration(node)) {
      const name = ts.visitNode(node.name, visit);
      const made = f.createMethodDeclaration(
        modifiers,
        star,
        name,
        undefined,
        undefined,
        parameters,
        undefined,
        body,
      );
      return isAsync(node) ? asyncOf(node, made) : made;
    }
    const generator = f.createFunctionExpression(
      undefined,
      star,
      node.name,
      undefined,
      parameters,
      undefined,
      body,
    );
    const made = isAsync(node) ? asyncOf(node, generator) : generator;
    return closed(ts.isArrowFunction(node) ? boundToThis(made) : made, node);
  };

  /** Generator functions that are made once for the module instead of each time an arrow function is. */
  const hoisted = [];
  let arrows = 0;

  const hoistedOf = (node, parameters) => {
    if (parameters.some(({ dotDotDotToken }) => dotDotDotToken !== undefined))
      throw new Error(`${root.fileName}: no rule for an arrow function with the rest of its arguments`);
    const name = `$arrow${arrows++}`;
    const outer = captured(node);
    const star = f.createToken(SyntaxKind.AsteriskToken);
    const body = within('yield', node, () => generatorBody(node));
    const all = [...outer.map(parameter), ...parameters];
    hoisted.push(f.createFunctionDeclaration(undefined, star, name, undefined, all, undefined, body));
    const own = parameters.map((_, index) => `$${index}`);
    const given = [f.createThis(), ...[...outer, ...own].map(id)];
    const called = f.createCallExpression(
      f.createPropertyAccessExpression(id(name), 'call'),
      undefined,
      given,
    );
    const made = isAsync(node) ? call('$async', called) : called;
    return f.createArrowFunction(undefined, undefined, own.map(parameter), undefined, undefined, made);
  };

  const boundToThis = (made) =>
    f.createCallExpression(
      f.createPropertyAccessExpression(f.createParenthesizedExpression(made), 'bind'),
      undefined,
      [id('this')],
    );

  const generatorBody = (node) => {
    let body = ts.visitNode(node.body, visit);
    if (!ts.isBlock(body)) body = f.createBlock([f.createReturnStatement(body)]);
    const start = [
      f.createVariableStatement(
        undefined,
        f.createVariableDeclarationList([f.createVariableDeclaration('$t')], ts.NodeFlags.Let),
      ),
    ];
    if (captures) start.push(constant('$f', enter(node)));
    if (edges) start.push(edgeAt(node.body, '$ENTRY'));
    body = f.createBlock([...start, ...body.statements], true);
    return body;
  };

  const enter = (node) => {
    const outer = captured(node).map((name) => thunk(id(name)));
    const self = !ts.isFunctionDeclaration(node) && mentionsThis(node) ? id('this') : id('undefined');
    return call('$enter', f.createNumericLiteral(points++), self, array(outer));
  };

  /** V8 takes a function that is assigned to a property where it is made for one that stays, with all that it knows. */
  const shortLived = (made, { parent }) =>
    ts.isBinaryExpression(parent) && ts.isArrowFunction(made)
      ? f.createParenthesizedExpression(
          f.createComma(f.createNumericLiteral(0), f.createParenthesizedExpression(made)),
        )
      : made;

  /** A function as a value, with what it has captured. */
  const closed = (made, node) => {
    if (!captures || (!ts.isArrowFunction(node) && !ts.isFunctionExpression(node)))
      return shortLived(made, node);
    const outer = captured(node);
    const self = ts.isArrowFunction(node) && mentionsThis(node);
    if (outer.length === 0 && !self) return shortLived(made, node);
    const thunks = [...outer, ...(self ? ['this'] : [])].map((name) =>
      thunk(name === 'this' ? f.createThis() : id(name)),
    );
    return call(
      '$closure',
      f.createParenthesizedExpression(made),
      f.createNumericLiteral(points++),
      array(thunks),
    );
  };

  /** The value on its way through a `finally` is part of the state. */
  const returnOf = (node) => {
    const value = ts.visitNode(node.expression, visit);
    if (around === undefined || !returnsThroughFinally(node)) return f.updateReturnStatement(node, value);
    const kept = f.createPropertyAccessExpression(id('$f'), 'value');
    return f.updateReturnStatement(node, f.createAssignment(kept, value));
  };

  const operationOf = (node, kind, args) => {
    const line = root.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    let owner = node;
    while (owner !== undefined && !isFunction(owner) && !cannotStop(owner)) owner = owner.parent;
    const functionName = owner === undefined ? 'top level' : (nameOf(owner) ?? 'a function');
    const site = sites.push(new Site(root.fileName, line, functionName, kind)) - 1;
    const given = args.map((argument) => ts.visitNode(argument, visit));
    const [words, at, a = id('undefined'), b = id('undefined')] = given;
    const made = call('$atomic', f.createStringLiteral(kind), words, at, a, b, f.createNumericLiteral(site));
    return manner === 'yield' ? yields(told(node, made)) : call('$run', made);
  };

  const plainStoreOf = (node) => {
    if (manner !== 'yield') return ts.visitEachChild(node, visit, context);
    const { expression, argumentExpression } = node.left;
    const kind = plain.hidden?.test(expression.getText()) ? 'hidden store' : 'plain store';
    return operationOf(node, kind, [expression, argumentExpression, node.right]);
  };

  const plainReadOf = (node) => {
    if (manner !== 'yield') return ts.visitEachChild(node, visit, context);
    return operationOf(node, 'plain read', [node.expression, node.argumentExpression]);
  };

  const awaitOf = (node) => yields(told(node, call('$await', ts.visitNode(node.expression, visit))));

  const stopsByName = (node) => {
    return names.has(calleeOf(node)) || isUnknown(node);
  };

  const callOf = (node) => {
    const made = ts.visitEachChild(node, visit, context);
    if (node.expression.kind === SyntaxKind.SuperKeyword || !stopsByName(node)) return made;
    if (manner === 'run') return call('$run', made);
    if (manner === 'pass') return made;
    const assigned = f.createParenthesizedExpression(f.createAssignment(id('$t'), made));
    const is = f.createBinaryExpression(assigned, SyntaxKind.InstanceOfKeyword, id('$Generator'));
    const delegated = delegates(told(node, id('$t')));
    return f.createParenthesizedExpression(
      f.createConditionalExpression(is, undefined, delegated, undefined, id('$t')),
    );
  };

  const promiseOf = (node) => {
    const made = call('$Promise.make', ts.visitNode(node.arguments[0], visit));
    return manner === 'yield' ? delegates(told(node, made)) : call('$run', made);
  };

  const importOf = (node) => {
    const path = node.moduleSpecifier;
    const bindings = node.importClause?.namedBindings;
    if (bindings === undefined) return f.createExpressionStatement(call('$import', path));
    const elements = bindings.elements.map((one) =>
      f.createBindingElement(undefined, one.propertyName, one.name),
    );
    return constant(f.createObjectBindingPattern(elements), call('$import', path));
  };

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
    const { asteriskToken, name, parameters, body } = made;
    const stripped = ts.isFunctionDeclaration(made)
      ? f.updateFunctionDeclaration(
          made,
          undefined,
          asteriskToken,
          name,
          undefined,
          parameters,
          undefined,
          body,
        )
      : made;
    return [stripped, exporting(node.name, node.name)];
  };

  const statement = (node) => {
    const isExported = node.modifiers?.some(({ kind }) => kind === SyntaxKind.ExportKeyword);
    if (!isExported || ts.isFunctionDeclaration(node)) return visit(node);
    const made = ts.isClassDeclaration(node) ? classOf(node) : ts.visitEachChild(node, visit, context);
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

  const statements = root.statements.flatMap((node) => statement(node) ?? []);
  return f.updateSourceFile(root, [...statements, ...hoisted]);
}
