/**
 * The figures that this package promises for locks on Redis, `npm run bench:redis`: each beside the raw commands or a peer,
 * in one run, on the same servers and with the same clients, with its bound. Ends with 1 if one is not met.
 */
import { RedisServer } from '../test/redis/server.mjs';
import { measureFigures } from './figures/command.mjs';
import { handOff } from './redis/hand-off.mjs';
import { processes } from './redis/processes.mjs';
import { stopped } from './redis/stopped.mjs';
import { uncontended } from './redis/uncontended.mjs';

const figures = { uncontended, 'hand-off': handOff, processes, stopped };

const help = `Usage: npm run bench:redis -- [options] [FIGURE...]

Measures the figures of locks on Redis and prints each with its bound; all of them unless some are named:
  ${Object.keys(figures).join(' ')}

  --help        shows this

Starts servers of its own. Takes about two minutes. Ends with 1 if a bound is not met.`;

await measureFigures({
  figures,
  help,
  async open() {
    const servers = await Promise.all([RedisServer.start(), RedisServer.start(), RedisServer.start()]);
    const [server] = servers;
    const version = /redis_version:(\S+)/.exec(await server.send('INFO server'))?.[1];
    return {
      subject: { server, servers },
      versions: [`Redis ${version}`],
      close: () => Promise.all(servers.map((one) => one.end())),
    };
  },
});
