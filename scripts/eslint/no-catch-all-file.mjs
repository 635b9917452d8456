import path from 'node:path';

const catchAll = /^(utils?|common|helpers?|types|misc|shared)$/;

/**
 * A file has one subject and a name that says it.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const noCatchAllFile = {
  meta: {
    type: 'suggestion',
    docs: { description: 'forbid files and folders whose name says nothing' },
    messages: { catchAll: '"{{name}}" says nothing about what is inside: name the subject.' },
    schema: [],
  },
  create(context) {
    return {
      Program(node) {
        const parts = path.relative(context.cwd, context.filename).split(path.sep);
        for (const name of parts.map((part) => part.replace(/\.[^.]+$/, ''))) {
          if (catchAll.test(name)) context.report({ node, messageId: 'catchAll', data: { name } });
        }
      },
    };
  },
};
