import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Parses `12h`, `30d` or `4w` of the command line into milliseconds. @throws InvalidArgumentError */
export function parseSpan(text: string): number {
  const [, number, unit = ""] = /^(\d{1,4})([hdw])$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError("write it as 12h, 30d or 4w.");
  return Number(number) * (UNITS[unit] ?? 0);
}
