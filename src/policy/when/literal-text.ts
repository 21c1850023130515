import { parseInstant } from "../instant.ts";

/** Instants whose sums with lengths of time stay within every implementation's calendar. */
const FIRST_MS = 0;
const LAST_MS = Date.UTC(9000, 0);
const DURATION = /^(?=\d)(?:(\d{1,4})h)?(?:(\d{1,5})m(?!s))?(?:(\d{1,6})s)?(?:(\d{1,6})ms)?$/;

/** An instant as elsewhere in a policy, from 1970 to 9000. */
export function isInstantText(text: string): boolean {
  const parsed = parseInstant(text);
  return parsed.ok && parsed.value >= FIRST_MS && parsed.value < LAST_MS;
}

/** Hours, minutes, seconds and milliseconds in this order, each at most once: `90m`, `1h30m`. */
export function isDurationText(text: string): boolean {
  return DURATION.test(text);
}

/** How long that is. */
export function durationMs(text: string): number {
  const [hours, minutes, seconds, ms] = (DURATION.exec(text) ?? []).slice(1).map((digits) => Number(digits ?? 0));
  return (((hours ?? 0) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1_000 + (ms ?? 0);
}
