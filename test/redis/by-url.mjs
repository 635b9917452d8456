// A program that has no client of its own: node by-url.mjs ENTRY URL NAME. Holds the lock when told to, and leaves it to
// itself to end. ENTRY is the module that mortise/redis is.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [entry, url, name] = process.argv.slice(2);
const { RedisLock } = await import(pathToFileURL(entry).href);
const loaded = () =>
  Object.keys(createRequire(import.meta.url).cache)
    .map((file) => /node_modules.(redis|ioredis).(dist|built).index\.js$/.exec(file)?.[1])
    .filter(Boolean);
const tell = (value) => process.send(value);
const tellError = ({ code, message }) => tell({ code, message });

tell({ loaded: loaded() });
try {
  const lock = new RedisLock(name, { url });
  tell({ loaded: loaded() });
  const lease = await lock.acquire();
  tell({ fence: String(lease.fence) });
  process.once('message', async () => {
    process.disconnect();
    await lease.release().catch(() => {});
  });
} catch (error) {
  tellError(error);
  process.disconnect();
}
