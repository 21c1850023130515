import { fail, ok, type Result } from "./result.ts";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `250ms`, `5s`, `1m30s`, `1h` → milliseconds. */
export function parseDurationMs(text: string): Result<number> {
  if (!/^(\d{1,9}(ms|s|m|h))+$/.test(text))
    return fail(`\`${text}\` is not a duration such as \`250ms\`, \`5s\` or \`1h\``);
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+)(ms|s|m|h)/g)) total += Number(number) * (UNITS[unit ?? ""] ?? 0);
  return ok(total);
}
