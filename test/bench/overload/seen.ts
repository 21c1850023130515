import type { Outcome } from "./asker.ts";

/** What a process that asks has seen. */
export interface Seen {
  readonly seconds: number;
  readonly asked: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Milliseconds from when a Check was due to its decision. */
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds to a refusal. */
  readonly refusedP99: number;
}
