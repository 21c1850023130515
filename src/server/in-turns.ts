import { setImmediate } from "node:timers/promises";

/** Goes through the steps and answers what is due between two of them. Rejects with what a step throws. */
export async function inTurns<T>(steps: Generator<void, T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await setImmediate();
  }
}
