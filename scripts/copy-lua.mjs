// The scripts that Redis runs are not TypeScript, so the compiler leaves them behind.
import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const from = fileURLToPath(new URL('../src/redis/scripts', import.meta.url));
const to = fileURLToPath(new URL('../dist/redis/scripts', import.meta.url));
cpSync(from, to, { recursive: true });
