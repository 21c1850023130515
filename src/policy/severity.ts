import type { Severity } from "./diagnostic.ts";

/** Codes that point something out without refusing the set. Every other code is an error. */
const WARNINGS: ReadonlySet<string> = new Set([
  "group-narrowed",
  "opaque-conditions-mixed",
  "server-first-port",
  "fail-open",
]);

export function severityOf(code: string): Severity {
  return WARNINGS.has(code) ? "warning" : "error";
}
