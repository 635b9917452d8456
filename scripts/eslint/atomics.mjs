/** `Atomics.load(…)`, also through a cast or `globalThis`. */
export function isAtomicsCall(node) {
  const callee = unwrap(node.callee);
  return callee.type === 'MemberExpression' && isAtomics(callee.object);
}

export function isAtomics(node) {
  const inner = unwrap(node);
  if (inner.type === 'Identifier') return inner.name === 'Atomics';
  return (
    inner.type === 'MemberExpression' &&
    inner.object.type === 'Identifier' &&
    inner.object.name === 'globalThis' &&
    inner.property.name === 'Atomics'
  );
}

/** What a cast, a non-null assertion or an optional chain is about. */
function unwrap(node) {
  let inner = node;
  while (isWrapper(inner)) inner = inner.expression;
  return inner;
}

export function isWrapper(node) {
  return [
    'TSAsExpression',
    'TSTypeAssertion',
    'TSSatisfiesExpression',
    'TSNonNullExpression',
    'ChainExpression',
  ].includes(node.type);
}

export function isFunction(node) {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  );
}
