import { isAtomicsCall, isFunction } from './atomics.mjs';

/**
 * No Atomics call in a constructor, a field's initializer or an accessor: whoever reads `new X()` or `x.y` must not
 * have to know that other threads can step in there.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const noHiddenAtomics = {
  meta: {
    type: 'problem',
    docs: { description: 'forbid Atomics calls in constructors, field initializers and accessors' },
    messages: {
      hidden: 'An Atomics call hides in a {{where}}: move it into a method or a function.',
    },
    schema: [],
  },
  create(context) {
    return {
      CallExpression(node) {
        if (!isAtomicsCall(node)) return;
        const where = hidingPlace(node);
        if (where !== null) context.report({ node, messageId: 'hidden', data: { where } });
      },
    };
  },
};

function hidingPlace(call) {
  let node = call;
  while (node.type !== 'Program') {
    if (node.type === 'PropertyDefinition' || node.type === 'AccessorProperty') {
      return node.static ? null : 'field initializer';
    }
    if (isFunction(node)) {
      const { kind } = node.parent;
      if (kind === 'constructor') return 'constructor';
      return (kind === 'get' || kind === 'set') && node.parent.value === node ? 'accessor' : null;
    }
    node = node.parent;
  }
  return null;
}
