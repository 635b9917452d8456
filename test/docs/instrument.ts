import ts from 'typescript';
import type { Example } from './extract.ts';

const expectation = /\/\/ ?=> ?(.*)$/gm;
const checks = new URL('./check.mjs', import.meta.url).href;

/**
 * Turns an example into a module that every supported Node.js runs: types are stripped, `using` is rewritten, and
 * what a comment `// => …` promises of the statement before it is checked.
 */
export function instrument(example: Example): string {
  const { code, language, page } = example;
  const file = ts.createSourceFile('example.mts', code, ts.ScriptTarget.Latest, true);
  const promised = new Map(
    [...code.matchAll(expectation)].map((match) => [match.index, match[1]?.trim() ?? '']),
  );
  const edits: { from: number; to: number; text: string }[] = [];
  const planned: number[] = [];
  visit(file);
  for (const position of promised.keys()) {
    throw new Error(
      `${page}: line ${lineAt(position)}: this expectation follows no expression and no declaration`,
    );
  }

  let text = code;
  for (const { from, to, text: replacement } of edits.sort((a, b) => b.from - a.from)) {
    text = text.slice(0, from) + replacement + text.slice(to);
  }
  const prelude = `import * as __check from ${JSON.stringify(checks)}; __check.plan(${JSON.stringify(planned)}); `;
  const { outputText, diagnostics = [] } = ts.transpileModule(prelude + text, {
    fileName: 'example.mts',
    reportDiagnostics: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      // JavaScript imports what it says; TypeScript may import types without saying so.
      verbatimModuleSyntax: language === 'js',
    },
  });
  const [problem] = diagnostics;
  if (problem !== undefined) {
    throw new Error(`${page}: ${ts.flattenDiagnosticMessageText(problem.messageText, '\n')}`);
  }
  return outputText;

  function visit(node: ts.Node): void {
    if (ts.isExpressionStatement(node) || ts.isVariableStatement(node)) check(node);
    ts.forEachChild(node, visit);
  }

  function check(statement: ts.ExpressionStatement | ts.VariableStatement): void {
    const position = expectationAfter(statement);
    const expected = promised.get(position);
    if (expected === undefined) return;
    promised.delete(position);
    const line = lineAt(position);
    planned.push(line);
    const promise = `${line}, ${JSON.stringify(expected)}`;

    if (ts.isVariableStatement(statement)) {
      const name = statement.declarationList.declarations.at(-1)?.name.getText(file) ?? '';
      edits.push({ from: statement.end, to: statement.end, text: ` __check.value(${promise}, ${name});` });
      return;
    }
    const { expression } = statement;
    if (ts.isCallExpression(expression) && /^console\.\w+$/.test(expression.expression.getText(file))) {
      const { expression: callee } = expression;
      edits.push({ from: callee.getStart(file), to: callee.end, text: `__check.printed(${promise})` });
      return;
    }
    edits.push({
      from: statement.getStart(file),
      to: expression.getStart(file),
      text: `__check.value(${promise}, (`,
    });
    edits.push({ from: expression.end, to: statement.end, text: '));' });
  }

  /** The position of the comment on the statement's line, or alone on the next one; -1 if there is none. */
  function expectationAfter(statement: ts.Node): number {
    const gap = /^[ \t]*(?:\n[ \t]*)?(?=\/\/ ?=>)/.exec(code.slice(statement.end))?.[0];
    return gap === undefined ? -1 : statement.end + gap.length;
  }

  function lineAt(position: number): number {
    return example.line + file.getLineAndCharacterOfPosition(position).line;
  }
}
