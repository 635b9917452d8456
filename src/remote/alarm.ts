/**
 * Alarms that nearly always are taken back before they ring: one for each request and one for each hold. A timer of its own
 * for each would cost as much as all the rest that this side does for a lock, so they share one, and may ring late.
 * Whatever waits for one is the alarm itself: no closures for what rings that seldom.
 */
import { now, setTimeout } from '../parker/clock.js';
import { Slots, type Slotted } from './slots.js';

/** Milliseconds by which an alarm may be late. */
export const LATENESS = 250;

/** Rings once, from `due` to {@link LATENESS} ms later. */
export interface Alarm extends Slotted {
  readonly due: number;
  ring(): void;
}

const alarms = new Slots<Alarm>();
let isTicking = false;

/** Keeps no process alive. It must not be set already. */
export function setAlarm(alarm: Alarm): void {
  alarms.add(alarm);
  if (!isTicking) startTicking();
}

/** Sets one that calls `ring`, `delay` ms from now. */
export function alarmIn(delay: number, ring: () => void): Alarm {
  const alarm = { due: now() + delay, ring, place: -1 };
  setAlarm(alarm);
  return alarm;
}

/** Nothing happens if it is not set. */
export function stopAlarm(alarm: Alarm): void {
  alarms.delete(alarm);
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
