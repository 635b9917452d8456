import { isWrapper } from './atomics.mjs';

/**
 * Every Atomics operation is written `Atomics.operation(…)` where it happens. An alias would hide it from the other
 * rules, from the model checker and from the reader. `Atomics.pause` touches no memory and may be asked for.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const atomicsInView = {
  meta: {
    type: 'problem',
    docs: { description: 'require Atomics operations to be called by their full name' },
    messages: {
      alias: 'Call the operation by its full name, Atomics.operation(…), where it happens.',
    },
    schema: [],
  },
  create(context) {
    return {
      'Identifier[name="Atomics"]'(node) {
        if (isPropertyName(node) || isType(node)) return;
        let object = node;
        while (isWrapper(object.parent)) object = object.parent;
        const use = object.parent;
        const isObject = use.type === 'MemberExpression' && use.object === object;
        if (isObject && !use.computed && (isCallee(use) || use.property.name === 'pause')) return;
        if (use.type === 'BinaryExpression' && use.operator === 'in') return;
        if (use.type === 'UnaryExpression' && use.operator === 'typeof') return;
        context.report({ node, messageId: 'alias' });
      },
    };
  },
};

function isPropertyName(node) {
  const { parent } = node;
  return (
    (parent.type === 'MemberExpression' && parent.property === node && !parent.computed) ||
    (parent.type === 'Property' && parent.key === node && !parent.computed)
  );
}

function isType(node) {
  return node.parent.type.startsWith('TS') && !isWrapper(node.parent);
}

function isCallee(member) {
  let node = member;
  while (isWrapper(node.parent)) node = node.parent;
  return node.parent.type === 'CallExpression' && node.parent.callee === node;
}
