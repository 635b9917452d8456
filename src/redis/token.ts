/** Who asks. A token stands for one hold, or the wait for it, and for no other ever. */
import { randomBytes } from 'node:crypto';

/** One of the clients that contend; a process has one for each connection it was given. */
export class Identity {
  /** 128 random bits. */
  readonly id: string = randomBytes(16).toString('base64url');
  /** On which it is told that its turn has come. */
  readonly channel: string = `mortise:wake:${this.id}`;
  #tokens = 0;

  /** `<client>.<number>.<weight>`: the scripts read the first and the last part. */
  nextToken(weight = 1): string {
    return `${this.id}.${(++this.#tokens).toString(36)}.${weight}`;
  }
}
