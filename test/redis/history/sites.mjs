/** Where a trial takes place: servers, the lines to them, and what goes wrong with the servers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EtcdCluster } from '../../etcd/cluster.mjs';
import { FaultProxy } from '../proxy.mjs';
import { RedisServer } from '../server.mjs';
import { amnesia, central } from './nemesis.mjs';

/** So that a restart loses nothing. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

class RedisSite {
  constructor(servers, forgets) {
    this.servers = servers;
    this.faults = forgets ? { ...central, ...amnesia } : central;
  }

  static async start({ forgets, count }) {
    const start = () => RedisServer.start(...(forgets ? [] : DURABLE));
    return new RedisSite(await Promise.all(Array.from({ length: count }, start)), forgets);
  }

  /** Of one worker, to each server. */
  newLines() {
    return Promise.all(this.servers.map(({ port }) => FaultProxy.start(port)));
  }

  async end() {
    await Promise.all(this.servers.map((server) => server.end()));
  }
}

/** The lines of one worker to all members, which fail together. */
class Lines {
  #proxies;

  constructor(proxies) {
    this.#proxies = proxies;
  }

  get url() {
    return this.#proxies.map(({ port }) => `http://127.0.0.1:${port}`).join(',');
  }

  set delay(value) {
    for (const proxy of this.#proxies) proxy.delay = value;
  }

  set dropsRequests(value) {
    for (const proxy of this.#proxies) proxy.dropsRequests = value;
  }

  set swallowsReplies(value) {
    for (const proxy of this.#proxies) proxy.swallowsReplies = value;
  }

  set refuses(value) {
    for (const proxy of this.#proxies) proxy.refuses = value;
  }

  cut() {
    for (const proxy of this.#proxies) proxy.cut();
  }

  async end() {
    await Promise.all(this.#proxies.map((proxy) => proxy.end()));
  }
}

/** Whoever hears nothing of its leader for half a second elects another one. */
const QUICK = ['--heartbeat-interval', '50', '--election-timeout', '500'];

class EtcdSite {
  constructor(cluster) {
    this.cluster = cluster;
    /**
     * Nobody stands still for longer than two thirds of a lease: an overthrown leader that has slept through leases has them
     * revoked when it wakes, in releases of etcd before its issue 15247 was fixed, whoever holds them.
     */
    const stop = async ({ random, ttl }, members) => {
      for (const member of members) member.pause();
      await sleep(ttl * 0.5 * random.next());
      for (const member of members) member.resume();
    };
    const restart = async (member) => {
      await member.kill();
      await cluster.run(member);
    };
    this.faults = {
      'a member that is stopped': (world) => stop(world, [world.random.pick(cluster.members)]),
      'a leader that is stopped': async (world) => stop(world, [await anyLeader(cluster, world)]),
      'a majority that is stopped': (world) =>
        stop(world, cluster.members.slice(world.random.below(2)).slice(0, 2)),
      'a member that is restarted': (world) => restart(world.random.pick(cluster.members)),
      'a leader that is restarted': async (world) => restart(await anyLeader(cluster, world)),
    };
  }

  static async start() {
    return new EtcdSite(await EtcdCluster.start(3, QUICK));
  }

  async newLines() {
    return [new Lines(await Promise.all(this.cluster.members.map(({ port }) => FaultProxy.start(port))))];
  }

  end() {
    return this.cluster.end();
  }
}

/** While one is elected, any member will do. */
async function anyLeader(cluster, { random }) {
  return cluster.leader().catch(() => random.pick(cluster.members));
}

/** @param {string} kind see locks.mjs @param {{ forgets: boolean, count: number }} options how many servers */
export function startSite(kind, options) {
  return kind === 'etcd' ? EtcdSite.start() : RedisSite.start(options);
}
