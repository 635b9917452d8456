// Vitest ends its child processes with SIGTERM, which leaves no time to write coverage at exit.
// So each one writes what it has counted when its test file is done.
import { takeCoverage } from 'node:v8';
import { afterAll } from 'vitest';

afterAll(() => {
  takeCoverage();
});
