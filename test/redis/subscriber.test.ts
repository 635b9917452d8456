/** Who is woken by a message: one who has just asked, or who was refused, and nobody afterwards. */
import { expect, test } from 'vitest';
import { Subscriber } from '../../dist/redis/subscriber.js';

/** A subscriber that listens, what publishes to it, and one who waits. */
async function listening() {
  let publish = (_message: string): void => {};
  const driver = {
    run: () => Promise.reject(new Error('not to be asked')),
    subscribe: async (_channel: string, onMessage: (message: string) => void) => {
      publish = onMessage;
      return async () => {};
    },
    isClosed: () => false,
  };
  const subscriber = new Subscriber(driver, 'channel');
  const heard: string[] = [];
  const wait = { place: -1, token: 'me', wake: (more: string) => void heard.push(more) };
  subscriber.add(wait);
  await subscriber.open();
  const tell = (message: string): void => publish(message);
  return { subscriber, wait, tell, heard };
}

test('one who has just asked is woken, by the own token alone', async () => {
  const { subscriber, wait, tell, heard } = await listening();
  tell('me 1 more');
  tell('another 2');
  expect(heard).toEqual(['1 more']);
  subscriber.delete(wait);
  tell('me 3');
  expect(heard).toEqual(['1 more']);
});

test('one who was refused is woken, also when it was refused again', async () => {
  const { subscriber, wait, tell, heard } = await listening();
  subscriber.keep(wait);
  subscriber.keep(wait);
  tell('me 1');
  tell('another 2');
  expect(heard).toEqual(['1']);
  subscriber.delete(wait);
  tell('me 3');
  expect(heard).toEqual(['1']);
});
