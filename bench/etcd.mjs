/**
 * The figures that this package promises for locks on etcd, `npm run bench:etcd`: each beside the raw requests or a peer, in one
 * run, on the same cluster and through the same client, with its bound. Ends with 1 if one is not met.
 */
import { execFileSync } from 'node:child_process';
import { EtcdCluster } from '../test/etcd/cluster.mjs';
import { contended } from './etcd/contended.mjs';
import { handOff } from './etcd/hand-off.mjs';
import { uncontended } from './etcd/uncontended.mjs';
import { measureFigures } from './figures/command.mjs';

const figures = { uncontended, 'hand-off': handOff, contended };

const help = `Usage: npm run bench:etcd -- [options] [FIGURE...]

Measures the figures of locks on etcd and prints each with its bound; all of them unless some are named:
  ${Object.keys(figures).join(' ')}

  --help        shows this

Starts clusters of its own, of one member and of three. Takes about a minute. Ends with 1 if a bound is not met.`;

await measureFigures({
  figures,
  help,
  async open() {
    const single = await EtcdCluster.start(1);
    const three = await EtcdCluster.start(3);
    const version = /etcd Version: (\S+)/.exec(
      execFileSync('etcd', ['--version'], { encoding: 'utf8' }),
    )?.[1];
    return {
      subject: { single, three },
      versions: [`etcd ${version}`],
      close: () => Promise.all([single.end(), three.end()]),
    };
  },
});
