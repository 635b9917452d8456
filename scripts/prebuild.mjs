// Puts the native addon for this system where npm publishes it from. It is a Node-API binary: one for all versions of
// Node.js. npm runs this before `npm run build` too, as it does with all scripts that are called pre-something.
import process from 'node:process';
import { buildNative, publish } from './build-native.mjs';

try {
  publish(buildNative());
} catch (error) {
  console.error(`mortise: ${error.message}`);
  process.exitCode = 1;
}
