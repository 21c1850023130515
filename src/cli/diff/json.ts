import type { Decision } from "../../pdp/decision.ts";
import { printLongJson } from "../output.ts";
import type { Compared, ReadClass } from "./read.ts";

/** Prints the stable machine-readable form, documented in docs/cli.md. */
export function printDiffJson(compared: Compared): void {
  printLongJson(withoutClasses(compared), "classes", compared.difference.classes, classJson);
}

function withoutClasses({ old, now, atMs, difference, replay }: Compared): Record<string, unknown> {
  const { counts, hosts, proof, unproved } = difference;
  return {
    schema: "sallyport.dev/diff/v1",
    old: { name: old.name, revision: old.engine.revision },
    new: { name: now.name, revision: now.engine.revision },
    at: new Date(atMs).toISOString(),
    noWidening: counts.widening === 0 && unproved.length === 0,
    counts,
    proof: { hosts, ...proof },
    unproved,
    classes: [],
    replay:
      replay === null
        ? null
        : {
            ...{ records: replay.records, same: replay.same, changed: replay.changed },
            ...{ undecidable: replay.undecidable, failed: replay.failed },
          },
  };
}

function classJson(each: ReadClass): Record<string, unknown> {
  const { change, kind, from, hosts, ports, methods, paths, headers, upgrades, times, expressions, was, now, check } =
    each;
  return {
    ...{ change, from, kind, hosts, ports, methods, paths, headers, expressions, upgrades, times },
    was: { ...outcomeJson(was), decidedBy: each.wasRules },
    now: { ...outcomeJson(now), decidedBy: each.nowRules },
    confirmed: each.confirmed,
    check,
  };
}

function outcomeJson({ effect, shadow, reason }: Decision): Record<string, unknown> {
  return { effect, shadow, reason };
}
