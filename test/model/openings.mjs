/** What threads do that attach to a space, make and find locks there, and dispose of them. As `programs.mjs`. */
import { isRefusal, pause, release, ring, until, ways } from './programs.mjs';

/** Makes or finds a lock by name, uses it, and disposes of it. */
export async function useName(api, name, { how, disposes, rounds }, options) {
  const { claims, index, attach, open } = api;
  const attachment = attach();
  for (let round = 0; round < rounds; round++) {
    const lock = open(attachment, name);
    claims.openNamed(index, name, lock);
    let guard = null;
    try {
      const taken = ways[how](lock, options);
      guard = how.endsWith('async') ? await taken : taken;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    if (guard !== null) {
      claims.enterNamed(index, name, lock, guard);
      pause(api);
      claims.leaveNamed(index, name);
      release(guard);
    }
    if (!disposes) continue;
    claims.closeNamed(index, name);
    try {
      lock.dispose();
    } catch (error) {
      if (error.code !== 'ERR_LOCK_BUSY') throw error;
    }
  }
}

/** As `useName`, where there may be no room: attaches when another thread has ended. Attaching twice is the same. */
export async function useNameInTurn(api, name, disposes) {
  const { attach, living, room, scratch } = api;
  let attachment;
  while (attachment === undefined) {
    const others = living();
    try {
      attachment = attach();
    } catch (error) {
      if (error.code !== 'ERR_SPACE_FULL' || others < room) throw error;
      Atomics.wait(scratch, 0, 0, 1);
    }
  }
  const again = attach();
  if (again.id !== attachment.id) throw new Error('a thread has attached twice');
  await useName({ ...api, attach: () => again }, name, { how: 'sync', disposes, rounds: 1 });
}

/** Has the memory itself, and a copy: while others ask the same. */
export async function compareMemory({ attach, comparison }, rounds) {
  const attachment = attach();
  const { presence, same, copy } = comparison(attachment);
  for (let round = 0; round < rounds; round++) {
    presence.checkSame(same);
    let code;
    try {
      presence.checkSame(copy);
    } catch (error) {
      code = error.code;
    }
    if (code !== 'ERR_LOCK_HANDLE') throw new Error('a copy was taken for the memory itself');
  }
}

/** Does one thing after another, see `play` in `spaces.mjs`. */
export async function follow(api, steps) {
  const { claims, index, attach, open, openHandle } = api;
  const attachment = attach();
  const own = new Map();
  for (const step of steps) {
    const [what, label, kind = 'mutex'] = step.split(' ');
    // Of a second object for the same lock.
    const name = label?.replace('*', '');
    const one = own.get(label) ?? {};
    const { lock } = one;
    let made;
    let code;
    switch (what) {
      case 'open':
      case 'refuse':
      case 'full':
      case 'receive':
      case 'stale':
        try {
          if (what === 'receive' || what === 'stale')
            made = openHandle(attachment, claims.posts.get(name), kind);
          else made = open(attachment, name, kind);
        } catch (error) {
          code = error.code;
        }
        expect(step, code, codes[what]);
        if (made === undefined) break;
        claims.openNamed(index, name, made);
        own.set(label, { lock: made, isMutex: kind === 'mutex' });
        break;
      // It may be too late.
      case 'race':
        try {
          made = openHandle(attachment, claims.posts.get(name), kind);
        } catch (error) {
          if (error.code !== codes.stale) throw error;
        }
        if (made === undefined) break;
        claims.openNamed(index, name, made);
        claims.closeNamed(index, name);
        made.dispose();
        break;
      case 'post':
        claims.posts.set(name, lock.handle.cell);
        break;
      case 'take':
      case 'inherit':
        one.guard = sideOf(lock).acquireSync();
        enter(api, name, one, what === 'inherit');
        break;
      case 'ask':
        one.request = lock.acquire();
        break;
      case 'get':
        one.guard = await one.request;
        enter(api, name, one, false);
        break;
      case 'wait':
        giveUp(lock);
        break;
      case 'free':
        claims.leaveNamed(index, name);
        release(one.guard);
        break;
      case 'dispose':
        claims.closeNamed(index, name);
        lock.dispose();
        break;
      case 'busy':
        try {
          lock.dispose();
        } catch (error) {
          code = error.code;
        }
        expect(step, code, codes[what]);
        break;
      // The lock object is collected, and what is kept of it later.
      case 'collect':
        lock.opened.presence.leave(lock.cell);
        break;
      case 'sweep':
        claims.closeNamed(index, name);
        lock.opened.presence.closeIdle(lock.cell);
        break;
      case 'forget':
        claims.closeNamed(index, name);
        lock.opened.presence.leave(lock.cell);
        break;
      // Its cell was needed for another one, and nobody will be told.
      case 'lose':
        claims.leaveNamed(index, name);
        break;
      case 'bury':
        attachment.reapDead();
        break;
      case 'meet':
        api.meet('hidden store', `die ${label}`);
        break;
      case 'die':
        api.meet('load', 'die before');
        pause(api);
        break;
      case 'ring':
        ring(api);
        break;
      case 'until':
        until(api, Number(label));
        break;
      default:
        throw new Error(`no thread can ${step}`);
    }
  }
}

const codes = {
  open: undefined,
  receive: undefined,
  refuse: 'ERR_LOCK_NAME',
  full: 'ERR_SPACE_FULL',
  stale: 'ERR_LOCK_HANDLE',
  busy: 'ERR_LOCK_BUSY',
};

function expect(step, code, expected) {
  if (code !== expected) throw new Error(`'${step}' gave ${code}, not ${expected}`);
}

/** A read-write lock is only read. */
const sideOf = (lock) => lock.reader ?? lock;

function enter({ claims, index }, name, { lock, guard, isMutex }, abandoned) {
  if (guard.abandoned !== abandoned) throw new Error(`'${name}': abandoned is ${guard.abandoned}`);
  if (isMutex) claims.enterNamed(index, name, lock, guard);
}

/** Leaves something in the statistics. */
function giveUp(lock) {
  let code;
  try {
    lock.acquireSync({ timeout: 1 });
  } catch (error) {
    code = error.code;
  }
  expect('wait', code, 'ERR_LOCK_TIMEOUT');
}
