/** A process for a lock that needs flags of Node.js: what `contend` runs, told by messages. */
import { contend } from './contend.mjs';

const [name, plan] = process.argv.slice(2);
const { rows, missing, stuck } = await contend(name, JSON.parse(plan), {
  onRow: (row) => process.send({ row }),
});
process.send({ rows, missing, stuck }, () => process.disconnect());
