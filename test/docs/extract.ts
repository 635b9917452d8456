/** A piece of code that documentation shows. */
export interface Example {
  /** Where it stands: examples of one page, or of one docstring, may use each other's files. */
  readonly page: string;
  /** The line of the page's file on which the code starts. */
  readonly line: number;
  readonly language: 'js' | 'ts';
  readonly code: string;
  /** `worker.mjs`, if the code starts with the comment `// worker.mjs`. */
  readonly fileName: string | undefined;
  /** False if the fence says `no-run`. */
  readonly run: boolean;
}

const languages = new Map<string, 'js' | 'ts'>([
  ['js', 'js'],
  ['mjs', 'js'],
  ['javascript', 'js'],
  ['ts', 'ts'],
  ['mts', 'ts'],
  ['typescript', 'ts'],
]);

/** The fenced JavaScript and TypeScript blocks of a Markdown text whose first line is `firstLine` of its file. */
export function fromMarkdown(page: string, text: string, firstLine = 1): Example[] {
  const examples: Example[] = [];
  const lines = text.split('\n');
  for (let start = 0; start < lines.length; start++) {
    const opening = /^(\s*)(`{3,}|~{3,})\s*(.*)$/.exec(lines[start] ?? '');
    if (opening === null) continue;
    const [, indent = '', fence = '', info = ''] = opening;
    const end = lines.findIndex((line, index) => index > start && isClosing(line, fence));
    if (end === -1) throw new Error(`${page}:${firstLine + start}: the fence is never closed`);

    const [word = '', ...flags] = info.trim().toLowerCase().split(/\s+/);
    const language = languages.get(word);
    if (language !== undefined) {
      const code = lines.slice(start + 1, end).map((line) => withoutIndent(line, indent.length));
      const run = !flags.includes('no-run');
      examples.push(example(page, firstLine + start + 1, language, code.join('\n'), run));
    }
    start = end;
  }
  return examples;
}

/** The `@example` sections of the docstrings in a TypeScript source: fenced blocks, or else plain code. */
export function fromDocstrings(file: string, source: string): Example[] {
  const examples: Example[] = [];
  for (const comment of source.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const firstLine = source.slice(0, comment.index).split('\n').length;
    const page = `${file}:${firstLine}`;
    const lines = comment[0]
      .replace(/\*\/$/, '')
      .split('\n')
      .map((line, index) => line.replace(index === 0 ? /^\/\*\*\s?/ : /^\s*\*\s?/, ''));

    for (const { start, end } of exampleSections(lines)) {
      const section = lines.slice(start + 1, end);
      if (section.some((line) => /^\s*(```|~~~)/.test(line))) {
        examples.push(...fromMarkdown(page, section.join('\n'), firstLine + start + 1));
      } else {
        examples.push(example(page, firstLine + start + 1, 'ts', section.join('\n'), true));
      }
    }
  }
  return examples;
}

/** From each `@example` to the next tag that is not inside a fence. */
function exampleSections(lines: readonly string[]): { start: number; end: number }[] {
  const sections: { start: number; end: number }[] = [];
  let start = -1;
  let inFence = false;
  for (const [index, line] of lines.entries()) {
    if (/^\s*(```|~~~)/.test(line)) inFence = !inFence;
    if (inFence || !/^\s*@[a-z]/i.test(line)) continue;
    if (start !== -1) sections.push({ start, end: index });
    start = /^\s*@example\b/.test(line) ? index : -1;
  }
  if (start !== -1) sections.push({ start, end: lines.length });
  return sections;
}

function example(page: string, line: number, language: 'js' | 'ts', code: string, run: boolean): Example {
  const fileName = /^\s*\/\/\s*(?:\.\/)?([\w.-]+\.m?js)\s*$/m.exec(
    code.trimStart().split('\n')[0] ?? '',
  )?.[1];
  return { page, line, language, code, fileName, run };
}

function isClosing(line: string, fence: string): boolean {
  const marks = line.trim();
  return marks.length >= fence.length && marks === (fence[0] ?? '').repeat(marks.length);
}

function withoutIndent(line: string, width: number): string {
  return line.slice(0, width).trim() === '' ? line.slice(width) : line;
}
