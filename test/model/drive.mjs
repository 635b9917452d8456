/**
 * Runs a program of the machine as an async function of V8's: an `await` costs it one turn of the microtask queue.
 * @param {(operation: object) => unknown} perform what a yielded operation returns
 */
export async function drive(program, perform) {
  let result = program.next();
  while (!result.done) {
    const { kind, value } = result.value;
    if (kind !== undefined) {
      result = program.next(perform(result.value));
      continue;
    }
    let settled;
    let hasFailed = false;
    try {
      settled = await value;
    } catch (error) {
      hasFailed = true;
      settled = error;
    }
    result = hasFailed ? program.throw(settled) : program.next(settled);
  }
  return result.value;
}
