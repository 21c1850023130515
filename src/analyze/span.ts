const UNITS = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1_000, "second"],
] as const;

/** A span of time in its largest whole unit: `3 days`, `1 hour`, `less than a second`. */
export function spanText(ms: number): string {
  const [size, unit] = UNITS.find(([each]) => ms >= each) ?? [1, null];
  if (unit === null) return "less than a second";
  const count = Math.floor(ms / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
