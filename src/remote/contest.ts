/** Where the requests of all objects meet that stand for the same lock. */
import { Contender, type Side } from './contender.js';

/** A connection that a hold depends on. */
export interface Mainstay {
  /** Says that a hold depends on it, if that matters; what it returns ends that. */
  keep?(): () => void;
}

export interface Contest {
  readonly key: string;
  readonly side: Side;
  /** By key; those whom somebody waits for, and a few that are idle. */
  readonly contenders: Map<string, Contender>;
  readonly mainstays: readonly Mainstay[];
}

/** Contenders of one client that are kept though nobody waits: to make one takes a part of the time of a pair. */
const MOST_IDLE = 64;

export function contenderOf({ key, side, contenders }: Contest): Contender {
  const known = contenders.get(key);
  if (known !== undefined) return known;
  const contender = new Contender(side, () => {
    if (contenders.size > MOST_IDLE && contenders.get(key) === contender) contenders.delete(key);
  });
  contenders.set(key, contender);
  return contender;
}
