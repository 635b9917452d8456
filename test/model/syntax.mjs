/** Pieces of code, as the transformation writes them. */
import ts from 'typescript';

const { factory: f, SyntaxKind } = ts;

export const id = (name) => f.createIdentifier(name);
export const call = (name, ...args) => f.createCallExpression(id(name), undefined, args);
export const yields = (value) => f.createParenthesizedExpression(f.createYieldExpression(undefined, value));
export const delegates = (value) =>
  f.createParenthesizedExpression(f.createYieldExpression(f.createToken(SyntaxKind.AsteriskToken), value));
export const parameter = (name) => f.createParameterDeclaration(undefined, undefined, name);
export const array = (elements) => f.createArrayLiteralExpression(elements);
export const thunk = (value) => f.createArrowFunction(undefined, undefined, [], undefined, undefined, value);
export const constant = (name, value) =>
  f.createVariableStatement(
    undefined,
    f.createVariableDeclarationList(
      [f.createVariableDeclaration(name, undefined, undefined, value)],
      ts.NodeFlags.Const,
    ),
  );

/**
 * An async function starts a generator, which is a function or method beside it where there is a place for that: a
 * generator function that is made anew for each call costs V8 more than all the rest.
 */
export function asyncOf(node, made) {
  const star = f.createToken(SyntaxKind.AsteriskToken);
  const rest = f.createParameterDeclaration(undefined, f.createToken(SyntaxKind.DotDotDotToken), '$args');
  const body = (callee) =>
    f.createBlock([
      f.createReturnStatement(
        call('$async', f.createCallExpression(callee, undefined, [f.createSpreadElement(id('$args'))])),
      ),
    ]);
  if (ts.isFunctionDeclaration(node)) {
    const name = `$${node.name.text}`;
    const { parameters, body: inner } = made;
    return [
      f.createFunctionDeclaration(undefined, star, name, undefined, parameters, undefined, inner),
      f.createFunctionDeclaration(
        undefined,
        undefined,
        node.name,
        undefined,
        [rest],
        undefined,
        body(id(name)),
      ),
    ];
  }
  if (ts.isMethodDeclaration(node)) {
    const name = `$${made.name.text}`;
    const { parameters, body: inner } = made;
    const callee = f.createPropertyAccessExpression(f.createThis(), name);
    const named = (which, asterisk, given, code) =>
      f.createMethodDeclaration(undefined, asterisk, which, undefined, undefined, given, undefined, code);
    return [named(name, star, parameters, inner), named(made.name, undefined, [rest], body(callee))];
  }
  const inner = f.createFunctionExpression(undefined, star, undefined, undefined, [], undefined, made.body);
  const started = f.createCallExpression(
    f.createPropertyAccessExpression(f.createParenthesizedExpression(inner), 'call'),
    undefined,
    [f.createThis()],
  );
  const outer = f.createBlock([f.createReturnStatement(call('$async', started))], true);
  return f.updateFunctionExpression(
    made,
    undefined,
    undefined,
    made.name,
    undefined,
    made.parameters,
    undefined,
    outer,
  );
}
