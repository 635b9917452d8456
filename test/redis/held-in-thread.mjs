// A program that holds a lock which a thread renews, and has nothing more to do: node held-in-thread.mjs URL NAME
import { RedisLock } from 'mortise/redis';

const [url, name] = process.argv.slice(2);
const lease = await new RedisLock(name, { url, ttl: 1000, renewIn: 'thread' }).acquire();
const end = performance.now() + 2000;
while (performance.now() < end);
console.log(lease.held ? 'held' : 'lost');
