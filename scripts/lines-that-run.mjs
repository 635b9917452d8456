import ts from 'typescript';

const punctuation = /^[{}()[\];:,]*$/;

/**
 * The numbers of the lines of a TypeScript source that hold code: no blank lines, comments, types or closing
 * brackets. Those would count as having run, and a well commented file would look well tested.
 *
 * @param {string} source
 * @returns {Set<number>}
 */
export function linesThatRun(source) {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const lines = new Set();
  visit(file);
  return new Set([...lines].sort((a, b) => a - b));

  function visit(node) {
    if (ts.isJSDoc(node) || isErased(node)) return;
    const children = node.getChildren(file);
    for (const child of children) visit(child);
    if (children.length > 0 || punctuation.test(node.getText(file))) return;
    const first = file.getLineAndCharacterOfPosition(node.getStart(file)).line;
    const last = file.getLineAndCharacterOfPosition(node.getEnd()).line;
    for (let line = first; line <= last; line++) lines.add(line + 1);
  }
}

function isErased(node) {
  return (
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isTypeNode(node) ||
    (ts.isImportDeclaration(node) && node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword) ||
    (ts.isExportDeclaration(node) && node.isTypeOnly) ||
    isBodiless(node) ||
    (ts.canHaveModifiers(node) &&
      ts.getModifiers(node)?.some((modifier) => modifier.kind === ts.SyntaxKind.DeclareKeyword) === true)
  );
}

/** Overload signatures and abstract methods. */
function isBodiless(node) {
  return (
    (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isConstructorDeclaration(node)) &&
    node.body === undefined
  );
}
