/**
 * Alarms that nearly always are taken back before they ring: one for each request and one for each hold. A timer of its own
 * for each would cost as much as all the rest that this side does for a lock, so they share one, and may ring late.
 */
import { now, setTimeout } from '../parker/clock.js';
import { Slots, type Slotted } from './slots.js';

/** Milliseconds by which an alarm may be late. */
export const LATENESS = 250;

interface Alarm extends Slotted {
  readonly due: number;
  readonly ring: () => void;
}

const alarms = new Slots<Alarm>();
let isTicking = false;

/** Rings once, from `delay` to `delay` + {@link LATENESS} ms from now, and keeps no process alive. Returns what stops it. */
export function setAlarm(ring: () => void, delay: number): () => void {
  const alarm: Alarm = { due: now() + delay, ring, place: -1 };
  alarms.add(alarm);
  if (!isTicking) startTicking();
  return () => alarms.delete(alarm);
}

function startTicking(): void {
  isTicking = true;
  setTimeout(tick, LATENESS).unref();
}

function tick(): void {
  isTicking = false;
  const time = now();
  for (const alarm of alarms) {
    if (alarm.due > time) continue;
    alarms.delete(alarm);
    alarm.ring();
  }
  if (alarms.size > 0 && !isTicking) startTicking();
}
