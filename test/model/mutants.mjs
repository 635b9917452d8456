/**
 * Makes mutants of the concurrent modules: small changes of their built code, each of which the model has to notice.
 *
 * A mutant has an id that survives edits elsewhere: module, function, operator, and the text before and after; a
 * number, if the same change can be made several times in the function.
 */
import ts from 'typescript';
import { SHARED, isAtomics, isFunction, cannotStop, nameOf, stoppingNames } from './analysis.mjs';
import { concurrent, isAddress, isExcluded } from './mutated.mjs';

const { SyntaxKind } = ts;

/**
 * @typedef {object} Mutant
 * @property {string} id
 * @property {string} file path of the module
 * @property {string} operator
 * @property {number} start of what is replaced
 * @property {number} end
 * @property {string} text in its place
 */

/** @returns {Mutant[]} of all concurrent modules */
export function mutantsOf(sources) {
  const files = [...sources].map(([path, text]) => parse(path, text));
  const names = stoppingNames(files);
  return files.filter(({ fileName }) => concurrent.has(fileName)).flatMap((file) => mutantsIn(file, names));
}

export function mutated(sources, { file, start, end, text }) {
  const source = sources.get(file);
  return source.slice(0, start) + text + source.slice(end);
}

const parse = (path, text) => ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS);

/** Longer texts are cut in ids. */
const MOST = 160;
function shortened(text) {
  const line = text
    .replaceAll(/\/\/.*$/gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return line.length <= MOST ? line : `${line.slice(0, MOST)}…`;
}

function mutantsIn(file, names) {
  const mutants = [];
  const ids = new Map();
  const texts = new Set();

  /** `context` is shown in the id: the node itself, or what is around it. */
  const add = (operator, node, text, context = node) => {
    const start = node.getStart();
    const { end } = node;
    const key = `${start} ${end} ${text}`;
    if (text === node.getText() || texts.has(key)) return;
    texts.add(key);
    const before = context.getText();
    const offset = start - context.getStart();
    const after = before.slice(0, offset) + text + before.slice(offset + end - start);
    const change =
      operator === 'remove' || operator === 'drop finally' ? shortened(before) : changeOf(before, after);
    const name = `${file.fileName} ${pathOf(node)}: ${operator}: ${change}`;
    const number = (ids.get(name) ?? 0) + 1;
    ids.set(name, number);
    const id = number === 1 ? name : `${name} (${number})`;
    mutants.push({ id, file: file.fileName, operator, start, end, text });
  };

  const visit = (node) => {
    if (isExcluded(file.fileName, node, pathOf)) return;
    for (const operator of operators) operator(node, add, names);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(file, visit);
  return mutants;
}

const changeOf = (before, after) => `${shortened(before)}  =>  ${shortened(after)}`;

/** Names of the functions and classes around, from outside in. */
export function pathOf(node) {
  const names = [];
  for (let at = node; at !== undefined; at = at.parent) {
    const isNamed = ts.isClassLike(at) || ts.isVariableDeclaration(at);
    if (isFunction(at) || cannotStop(at)) {
      const name = ts.isConstructorDeclaration(at) ? 'constructor' : nameOf(at);
      if (name !== undefined && names[0] !== name) names.unshift(name);
    } else if (isNamed && ts.isIdentifier(at.name ?? at) && isOuter(at) && names[0] !== at.name.text)
      names.unshift(at.name.text);
  }
  return names.join('.') || 'module';
}

/** Of the module itself, not of a function. */
function isOuter(node) {
  for (let at = node.parent; at !== undefined; at = at.parent)
    if (isFunction(at) || cannotStop(at)) return false;
  return true;
}

const swapped = new Map([
  [SyntaxKind.AmpersandAmpersandToken, '||'],
  [SyntaxKind.BarBarToken, '&&'],
  [SyntaxKind.LessThanToken, '<='],
  [SyntaxKind.LessThanEqualsToken, '<'],
  [SyntaxKind.GreaterThanToken, '>='],
  [SyntaxKind.GreaterThanEqualsToken, '>'],
  [SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [SyntaxKind.ExclamationEqualsEqualsToken, '==='],
  [SyntaxKind.PlusToken, '-'],
  [SyntaxKind.MinusToken, '+'],
  [SyntaxKind.BarToken, '&'],
  [SyntaxKind.AmpersandToken, '|'],
  [SyntaxKind.PlusEqualsToken, '-='],
  [SyntaxKind.MinusEqualsToken, '+='],
  [SyntaxKind.BarEqualsToken, '&='],
  [SyntaxKind.AmpersandEqualsToken, '|='],
  [SyntaxKind.BarBarEqualsToken, '&&='],
]);
const negations = new Set(['===', '!==']);
const isText = (node) => ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
const isBits = ({ operatorToken: { kind } }) =>
  kind === SyntaxKind.BarToken || kind === SyntaxKind.AmpersandToken;

/** A line that does something, by itself. */
const isRemovable = (node) =>
  ts.isExpressionStatement(node) ||
  ts.isContinueStatement(node) ||
  ts.isBreakStatement(node) ||
  (ts.isReturnStatement(node) && node.expression === undefined);

function conditionOf(node) {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) return node.expression;
  return ts.isConditionalExpression(node) || ts.isForStatement(node) ? node.condition : undefined;
}

/** What is shown around an operator or a number: the expression or declaration it is in. */
function around(node) {
  let at = node.parent;
  while (ts.isParenthesizedExpression(at) || ts.isPrefixUnaryExpression(at)) at = at.parent;
  return ts.isBlock(at) || ts.isForStatement(at) || ts.isSourceFile(at) ? node : at;
}

const operators = [
  function remove(node, add) {
    if (isRemovable(node)) add('remove', node, ts.isBlock(node.parent) ? '' : ';');
  },

  function condition(node, add) {
    const found = conditionOf(node);
    if (found === undefined) return;
    const text = found.getText();
    const isSwapped = ts.isBinaryExpression(found) && negations.has(found.operatorToken.getText());
    if (!isSwapped) add('negate', found, `!(${text})`);
    add('true', found, 'true', headOf(node, found));
    add('false', found, 'false', headOf(node, found));
  },

  function swapOperator(node, add) {
    if (!ts.isBinaryExpression(node)) return;
    const { left, right, operatorToken } = node;
    const other = swapped.get(operatorToken.kind);
    if (other === undefined || isText(left) || isText(right) || isAddress(node)) return;
    add('operator', operatorToken, other, node);
  },

  function step(node, add) {
    if (!ts.isPostfixUnaryExpression(node) && !ts.isPrefixUnaryExpression(node)) return;
    const { operator } = node;
    const operand = node.operand.getText();
    if (operator === SyntaxKind.PlusPlusToken) add('operator', node, `${operand}--`);
    if (operator === SyntaxKind.MinusMinusToken) add('operator', node, `${operand}++`);
    if (operator === SyntaxKind.TildeToken) add('drop ~', node, operand, around(node));
  },

  function dropOperand(node, add) {
    if (!ts.isBinaryExpression(node) || !isBits(node)) return;
    add('drop', node, node.left.getText(), around(node));
    add('drop', node, node.right.getText(), around(node));
  },

  function number(node, add) {
    if (!ts.isNumericLiteral(node) || !Number.isInteger(Number(node.text))) return;
    add('number', node, String(Number(node.text) + 1), around(node));
  },

  function blindStore(node, add) {
    if (!isAtomics(node) || node.expression.name.text !== 'compareExchange') return;
    const [words, at, expected, value] = node.arguments.map((argument) => argument.getText());
    add('blind store', node, `(Atomics.store(${words}, ${at}, ${value}), ${expected})`);
  },

  function swapStatements(node, add, names) {
    if (!ts.isBlock(node)) return;
    const { statements } = node;
    for (let i = 0; i + 1 < statements.length; i++) {
      const [first, second] = [statements[i], statements[i + 1]];
      if (!isMovable(first) || !isMovable(second)) continue;
      if (!touches(first, names) || !touches(second, names) || isUsedIn(first, second)) continue;
      const range = { getStart: () => first.getStart(), end: second.end, parent: node };
      range.getText = () => node.getSourceFile().text.slice(first.getStart(), second.end);
      add('swap', range, `${second.getText()}\n${first.getText()}`);
    }
  },

  function dropFinally(node, add) {
    if (ts.isTryStatement(node) && node.finallyBlock !== undefined)
      add('drop finally', node.finallyBlock, '{}');
  },
];

function headOf(node, condition) {
  if (ts.isConditionalExpression(node)) return node;
  const start = node.getStart();
  const end = condition.end + 1;
  return { getStart: () => start, end, getText: () => node.getSourceFile().text.slice(start, end) };
}

const isMovable = (node) => !ts.isReturnStatement(node) && !ts.isThrowStatement(node) && !isJump(node);
const isJump = (node) => ts.isBreakStatement(node) || ts.isContinueStatement(node);

/** Does it work on shared memory, itself or in what it calls? */
function touches(node, names) {
  let found = false;
  const visit = (child) => {
    if (found || isFunction(child)) return;
    if (isAtomics(child)) found = true;
    else if (ts.isElementAccessExpression(child) && SHARED.test(child.expression.getText())) found = true;
    else if (ts.isCallExpression(child) && ts.isPropertyAccessExpression(child.expression))
      found = names.has(child.expression.name.text);
    else if (ts.isCallExpression(child) && ts.isIdentifier(child.expression))
      found = names.has(child.expression.text);
    ts.forEachChild(child, visit);
  };
  visit(node);
  return found;
}

/** Does the second need what the first declares? It would only throw. */
function isUsedIn(first, second) {
  if (!ts.isVariableStatement(first)) return false;
  const names = new Set();
  const collect = (name) => {
    if (ts.isIdentifier(name)) names.add(name.text);
    else for (const element of name.elements) collect(element.name);
  };
  for (const { name } of first.declarationList.declarations) collect(name);
  let found = false;
  const visit = (child) => {
    if (ts.isIdentifier(child) && names.has(child.text)) found = true;
    ts.forEachChild(child, visit);
  };
  visit(second);
  return found;
}
