/** Asking several servers at once, without waiting for those that do not answer. */
import { show } from '../deadline.js';
import { answerWithin } from '../remote/failure.js';

/** What one of the servers said, or why it said nothing. */
export type Answer<T> = { readonly value: T } | { readonly error: Error };

export function isAnswered<T>(answer: Answer<T> | undefined): answer is { readonly value: T } {
  return answer !== undefined && 'value' in answer;
}

/**
 * Asks all servers and resolves with what is there as soon as `isDecided` says that the rest does not matter, or all
 * have answered. A server that does not answer within `patience` ms counts as failed.
 */
export function askAll<S, T>(
  servers: readonly S[],
  patience: number,
  ask: (server: S) => Promise<T>,
  isDecided: (answers: readonly (Answer<T> | undefined)[]) => boolean,
): Promise<(Answer<T> | undefined)[]> {
  const answers: (Answer<T> | undefined)[] = servers.map(() => undefined);
  let open = servers.length;
  return new Promise((resolve) => {
    const note = (place: number, answer: Answer<T>): void => {
      answers[place] = answer;
      if (--open === 0 || isDecided(answers)) resolve([...answers]);
    };
    servers.forEach((server, place) => {
      answerWithin(ask(server), patience).then(
        (value) => note(place, { value }),
        (error: unknown) => note(place, { error: error instanceof Error ? error : new Error(show(error)) }),
      );
    });
  });
}

/** What each server said, for a message; they are numbered as they were given. */
export function inWords<T>(answers: readonly (Answer<T> | undefined)[], say: (value: T) => string): string {
  return answers
    .map((answer, place) => {
      const what =
        answer === undefined
          ? 'not waited for'
          : isAnswered(answer)
            ? say(answer.value)
            : answer.error.message;
      return `server ${place + 1}: ${what}`;
    })
    .join('; ');
}

/** Too few servers answered. `errors` has why, in the order in which the servers were given. */
export class NoQuorum extends AggregateError {
  constructor(answers: readonly (Answer<unknown> | undefined)[], text: string) {
    const errors = answers.map((answer) =>
      answer !== undefined && 'error' in answer ? answer.error : undefined,
    );
    super(errors, `no majority answered (${text})`);
    this.name = 'NoQuorum';
  }
}
