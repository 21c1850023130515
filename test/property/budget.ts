import * as fc from "fast-check";

/** How long and from which seed to run: `PROPERTY_SECONDS` runs that long from a new seed, `PROPERTY_SEED` repeats one. */
export interface Budget {
  readonly parameters: {
    readonly numRuns: number;
    readonly seed: number;
    readonly endOnFailure: boolean;
    readonly interruptAfterTimeLimit?: number;
  };
  readonly timeoutMs: number;
}

/** The budget of one property; `sets` is the number of sets in the default run, which always draws the same ones. */
export function budgetFor(sets: number): Budget {
  const seconds = Number(process.env.PROPERTY_SECONDS ?? 0);
  const named = process.env.PROPERTY_SEED;
  const seed = named !== undefined ? Number(named) : seconds > 0 ? Date.now() % 2 ** 31 : 20_261_123;
  const timed =
    seconds > 0 ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: seconds * 1000 } : { numRuns: sets };
  return { parameters: { ...timed, seed, endOnFailure: true }, timeoutMs: 240_000 + seconds * 1000 };
}

/** Runs a property. A failure says what the property said, and the seed; the drafts behind it are not for reading. */
export function runProperty<T>(property: fc.IProperty<T>, { parameters }: Budget): void {
  const { failed, errorInstance, interrupted, numRuns } = fc.check(property, parameters);
  if (failed && !(interrupted && errorInstance === null)) {
    const message = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
    throw new Error(`run ${numRuns} of seed ${parameters.seed}: ${message}`, { cause: errorInstance });
  }
}
