import type { LocatedSet } from "../../bundle/locate-items.ts";
import type { Engine } from "../../pdp/engine.ts";
import { probe } from "../probe.ts";
import type { RecordedDecision } from "../replay/recorded-decision.ts";

/** Ids of the allows that are for the workload, host and port of a recorded request, whatever else they ask. */
export type Concerned = (record: RecordedDecision) => readonly string[];

/** Answers that are remembered; workloads and hosts can be any number. */
const REMEMBERED = 10_000;

/** @param engine with the bundle that `located` is of */
export function createConcerned(engine: Engine, { items }: LocatedSet, nowMs: number): Concerned {
  const allows = items.filter(({ of }) => of.rule.effect === "allow");
  const known = new Map<string, readonly string[]>();
  return (record) => {
    const { protocol, host, port } = record.target;
    const key = JSON.stringify([record.subject.spiffeId, protocol, host, port]);
    const found = known.get(key);
    if (found !== undefined) return found;
    const verdicts = engine.explain(probe(protocol, record.subject.spiffeId, host, Number(port)), nowMs);
    const ids = new Set<string>();
    if (verdicts.stage === "rules") {
      for (const item of allows) {
        const { subject, scope, binding, port: fits } = verdicts.item(item);
        if (subject && scope && binding === "bound" && fits) ids.add(item.of.id);
      }
    }
    if (known.size === REMEMBERED) known.clear();
    known.set(key, [...ids]);
    return [...ids];
  };
}
