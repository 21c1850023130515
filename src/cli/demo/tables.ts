import { createColors } from "picocolors";
import { tableLines } from "../table.ts";
import type { AuditRecord } from "./lab.ts";
import type { DemoStep } from "./scenario.ts";

/** The steps as a table: who, what, outcome, reason, rule, cache. */
export function stepTable(steps: readonly DemoStep[], color: boolean): string {
  const paint = createColors(color);
  const rows = steps.map((step) => [
    step.who,
    step.what,
    `${step.effect} (${step.seen})`,
    step.reason,
    step.rules.join(" ") || "-",
    step.cacheHit ? "hit" : "-",
    step.asExpected ? "" : "UNEXPECTED",
  ]);
  const head = ["who", "what", "effect", "reason", "rule", "cache", ""];
  const [title = "", ...lines] = tableLines(head, rows);
  const body = lines.map((line, i) => {
    const tint = steps[i]?.asExpected === false ? paint.yellow : steps[i]?.effect === "allow" ? paint.green : paint.red;
    return tint(line);
  });
  return [paint.bold(title), ...body].join("\n");
}

/** The last records, a line each, as they stand in the file. */
export function auditExcerpt(records: readonly AuditRecord[], count: number): string {
  return records
    .slice(-count)
    .map((record) => JSON.stringify(record))
    .join("\n");
}

const SHOWN = /^sallyport_(decisions_total|cache_hits_total|cache_misses_total|reloads_total|policy_info)/;

/** The lines of the metrics page that tell what the demonstration did. */
export async function metricsExcerpt(adminPort: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`, { signal: AbortSignal.timeout(5_000) });
  const lines = (await response.text()).split("\n").filter((line) => SHOWN.test(line) && !line.endsWith(" 0"));
  return lines.join("\n");
}
