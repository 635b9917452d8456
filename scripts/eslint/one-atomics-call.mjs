import { isAtomicsCall, isFunction } from './atomics.mjs';

/**
 * One Atomics call in an expression, and its result not handed straight to a call. Every Atomics call is a point
 * where another thread may step in or this one may die. The model checker remembers the state at such a point as
 * the call site and the local variables; half-evaluated expressions around the call escape it.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const oneAtomicsCall = {
  meta: {
    type: 'problem',
    docs: { description: 'allow one Atomics call in an expression, and none as an argument' },
    messages: {
      second: 'A second Atomics call in one expression: give the first result a name.',
      argument: 'An Atomics call as an argument of another call: give its result a name.',
    },
    schema: [],
  },
  create(context) {
    const seen = new Set();
    return {
      CallExpression(node) {
        if (!isAtomicsCall(node)) return;
        const { whole, isArgument } = enclosingExpression(node);
        if (isArgument) context.report({ node, messageId: 'argument' });
        else if (seen.has(whole)) context.report({ node, messageId: 'second' });
        seen.add(whole);
      },
    };
  },
};

function enclosingExpression(call) {
  let whole = call;
  let isArgument = false;
  while (!endsExpression(whole.parent)) {
    const { parent } = whole;
    if ((parent.type === 'CallExpression' || parent.type === 'NewExpression') && parent.callee !== whole) {
      isArgument = true;
    }
    whole = parent;
  }
  return { whole, isArgument };
}

function endsExpression(node) {
  return (
    isFunction(node) ||
    node.type.endsWith('Statement') ||
    node.type.endsWith('Declaration') ||
    node.type === 'VariableDeclarator' ||
    node.type === 'PropertyDefinition' ||
    node.type === 'SwitchCase' ||
    node.type === 'Program'
  );
}
