/** A worker that runs threads of scripts with V8's own Atomics, each operation at its gate. */
import { parentPort, workerData } from 'node:worker_threads';
import { drive } from './drive.mjs';
import { Gate, performGated } from './gate.mjs';
import { programOf } from './script.mjs';

const gate = new Gate(workerData.control, workerData.events);

parentPort.on('message', (message) => {
  if (message === 'leave') parentPort.close();
  else void run(message);
});

async function run({ operations, buffer }) {
  // Keeps the event loop as long as the program runs, as the program on the machine does.
  const timer = setInterval(() => {}, 2 ** 30);
  let place = 'awaiting';
  const perform = ({ kind, words, at, a, b }) => {
    const result = performGated(gate, kind, words, at, a, b);
    gate.standWhenIdle(() => place);
    return result;
  };
  gate.standWhenIdle(() => place);
  try {
    await drive(
      programOf(operations, new Int32Array(buffer), (value) => gate.tell(value)),
      perform,
    );
    place = 'ended';
  } catch (error) {
    place = 'failed';
    throw error;
  } finally {
    clearInterval(timer);
    gate.standWhenIdle(() => place);
  }
}
