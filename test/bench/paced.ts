import { setTimeout as sleep } from "node:timers/promises";
import { ask, type Served } from "./checks.ts";

const PER_SECOND = 1_000;

/** Asks 1,000 times a second whether or not answers come, and times each from when it was sent, in milliseconds. Rejects when one does not come. */
export async function paced(
  until: () => boolean,
  client: Served["client"],
  next: (index: number) => Buffer,
): Promise<readonly number[]> {
  const times: number[] = [];
  const asked: Promise<void>[] = [];
  let failure: unknown = null;
  const begun = performance.now();
  for (let n = 0; failure === null && !until(); ) {
    const due = Math.floor(((performance.now() - begun) / 1000) * PER_SECOND);
    for (; n < due; n += 1) {
      const at = performance.now();
      const answered = (): void => void times.push(performance.now() - at);
      asked.push(
        ask(client, next(n)).then(answered, (error: unknown) => {
          failure = error;
        }),
      );
    }
    await sleep(1);
  }
  await Promise.all(asked);
  if (failure !== null) throw failure;
  return times;
}

/** The same for so long. */
export function pacedFor(
  ms: number,
  client: Served["client"],
  next: (index: number) => Buffer,
): Promise<readonly number[]> {
  const end = performance.now() + ms;
  return paced(() => performance.now() > end, client, next);
}

/** The value below which this share of them lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}
