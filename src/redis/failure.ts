/** What a refusal of Redis means. */
import { isPlain } from '../remote/failure.js';

/**
 * Errors that a server answers with while it starts, fails over or is busy. Before Redis 7, one that a command within a
 * script got stands behind 'ERR Error running script … @user_script: 6: -'.
 */
const passing =
  /^(?:ERR Error running script .*: -)?(?:LOADING|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|READONLY|NOREPLICAS|UNBLOCKED|MOVED|ASK)\b/;
/** Any other answer begins with a word in capitals and will be the same the next time. */
const answer = /^-?[A-Z]{2,}\b /;

/** Might the same request succeed later? Connections come back, wrong types and missing rights do not. */
export function isPassing(error: unknown): boolean {
  if (isPlain(error) || !(error instanceof Error)) return false;
  return passing.test(error.message) || !answer.test(error.message);
}
