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
  /** By key; those whom somebody waits for. */
  readonly contenders: Map<string, Contender>;
  readonly mainstays: readonly Mainstay[];
}

export function contenderOf({ key, side, contenders }: Contest): Contender {
  const known = contenders.get(key);
  if (known !== undefined) return known;
  const contender = new Contender(side, () => {
    if (contenders.get(key) === contender) contenders.delete(key);
  });
  contenders.set(key, contender);
  return contender;
}
