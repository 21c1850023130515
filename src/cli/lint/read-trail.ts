import { createTrafficCollector, type TrafficRecord } from "../../analyze/lint/traffic/collect.ts";
import type { ObservedTraffic } from "../../analyze/lint/traffic/unused.ts";
import type { AuditRecord } from "../../audit/record.ts";
import { compileBundle } from "../../bundle/compile.ts";
import { REASONS } from "../../bundle/reason.ts";
import { createEngine } from "../../pdp/engine.ts";
import { EXIT } from "../exit-code.ts";
import type { ValidSet } from "../load-set.ts";
import { printFailure } from "../output.ts";
import { readTrailLines } from "../read-trail-lines.ts";

/** Which days of which trail to look at. */
export interface TrailOptions {
  readonly file: string;
  readonly days: number;
  readonly nowMs: number;
}

/** What the lint knows of the traffic, and of how much. */
export interface ReadTrail extends ObservedTraffic {
  readonly records: number;
  /** Lines that are no record of this version. */
  readonly unreadable: number;
}

const DAY_MS = 86_400_000;
/** Reasons that are given once the rules have been looked at. */
const AT_RULES: ReadonlySet<string> = new Set(REASONS.slice(REASONS.indexOf("denied-by-rule")));

/**
 * Reads the last days of a trail line by line. Null (after saying why, with the exit code set) when it cannot be read, or does
 * not reach back so far: what was not used in the days it has may have been used before.
 */
export async function readTrail({ set, module }: ValidSet, options: TrailOptions): Promise<ReadTrail | null> {
  const { file, days, nowMs } = options;
  const sinceMs = nowMs - days * DAY_MS;
  const bundle = compileBundle(set);
  const collector = createTrafficCollector(set, createEngine(module, bundle), bundle);
  let beginsMs: number | null = null;
  let records = 0;
  let unreadable = 0;
  const read = await readTrailLines({ file, fromMs: sinceMs, toMs: null }, (line) => {
    if (line === null) {
      unreadable += 1;
      return;
    }
    const timeMs = Date.parse(line.time ?? "");
    if (!Number.isNaN(timeMs)) beginsMs ??= timeMs;
    if ("event" in line || !(timeMs >= sinceMs)) return;
    records += 1;
    const record = recordOf(line);
    if (record !== null) collector.add(record);
  });
  if (!read) return null;
  if (beginsMs === null || beginsMs > sinceMs) {
    const begin = beginsMs === null ? "holds no line" : `begins at ${new Date(beginsMs).toISOString()}`;
    return fail(`${file} ${begin}: it cannot say what was unused in ${days} days`, "ask for fewer with --days");
  }
  return { traffic: collector.traffic, days, sinceMs, records, unreadable };
}

function fail(message: string, next: string): null {
  printFailure(message, next);
  process.exitCode = EXIT.failure;
  return null;
}

/** Null for what was refused before the rules: it uses nothing of the policies. */
function recordOf({ reason, subject, target, rules, shadowRules }: AuditRecord): TrafficRecord | null {
  if (typeof target.port !== "number" || !(AT_RULES.has(reason) || reason === "upgrade-not-allowed")) return null;
  const { spiffeId: principal, namespace } = subject;
  return { principal, namespace, kind: target.protocol, host: target.host, port: target.port, rules, shadowRules };
}
