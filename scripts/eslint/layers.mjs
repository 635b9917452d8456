import path from 'node:path';

/**
 * Imports run one way. Option `rooms` says what each room, which is a folder or a file directly under `src/`, may
 * import: other rooms, or single files of them. A room may always import from itself and from `node:`.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const layers = {
  meta: {
    type: 'problem',
    docs: { description: 'enforce the direction of imports between the rooms of src/' },
    messages: {
      direction: '{{from}} must not import {{to}}; it may import {{allowed}}.',
      unknownRoom: 'src/{{from}} is not in the table of rooms: say in eslint.config.js what it may import.',
      outside: '{{specifier}} lies outside src/.',
      package: '{{specifier}} is a package, and the library depends on none.',
    },
    schema: [
      {
        type: 'object',
        properties: {
          rooms: {
            type: 'object',
            additionalProperties: { type: 'array', items: { type: 'string' } },
          },
        },
        required: ['rooms'],
        additionalProperties: false,
      },
    ],
  },
  create(context) {
    const { rooms } = context.options[0];
    const source = path.join(context.cwd, 'src');
    const file = path.relative(source, context.filename);
    const from = roomOf(file);

    return {
      Program(node) {
        if (!(from in rooms)) context.report({ node, messageId: 'unknownRoom', data: { from } });
      },
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      TSImportType: (node) => check(node.source),
    };

    function check(literal) {
      if (typeof literal?.value !== 'string' || !(from in rooms)) return;
      const specifier = literal.value;
      if (specifier.startsWith('node:')) return;
      if (!specifier.startsWith('.') && !specifier.startsWith('#')) {
        context.report({ node: literal, messageId: 'package', data: { specifier } });
        return;
      }
      const target = specifier.startsWith('#')
        ? specifier
        : path
            .relative(source, path.resolve(path.dirname(context.filename), specifier))
            .replace(/\.js$/, '.ts');
      if (target.startsWith('..')) {
        context.report({ node: literal, messageId: 'outside', data: { specifier } });
        return;
      }
      const to = roomOf(target);
      const allowed = rooms[from];
      if (to === from || allowed.includes('*') || allowed.includes(to) || allowed.includes(target)) return;
      context.report({
        node: literal,
        messageId: 'direction',
        data: { from, to: target, allowed: allowed.join(', ') || 'nothing' },
      });
    }
  },
};

function roomOf(file) {
  return file.split(path.sep)[0];
}
