import { parseInstant } from "./instant.ts";
import type { DecisionCase, DecisionTest, SourcePosition } from "./model.ts";
import type { RawDocument, RawDocumentOf } from "./raw-document.ts";
import { positionOf, type Reporter } from "./reporter.ts";
import { parseRequestText, parseSubjectText } from "./request-text.ts";
import type { DecisionTestSpec } from "./schema/decision-test.ts";
import { parseHeaderName, parseUpgrade } from "./token.ts";

/** Checks test documents. They never enter the set. */
export function buildTests(documents: readonly RawDocument[], reporter: Reporter): readonly DecisionTest[] {
  return documents
    .filter((each): each is RawDocumentOf<"DecisionTest"> => each.kind === "DecisionTest")
    .flatMap((document) => {
      const now = reporter.take(document, ["spec", "now"], "invalid-instant", parseInstant(document.spec.now));
      if (now === null) return [];
      const cases = document.spec.cases.map((_, i) => buildCase(document, i, reporter));
      return [{ name: document.name, scope: document.namespace ?? "", at: positionOf(document), now, cases }];
    });
}

function buildCase(document: RawDocumentOf<"DecisionTest">, index: number, reporter: Reporter): DecisionCase {
  const path = ["spec", "cases", index];
  const spec = document.spec.cases[index];
  if (spec === undefined) throw new RangeError(`no case ${index}`);
  reporter.take(document, [...path, "from"], "invalid-request", parseSubjectText(spec.from, "cluster.local"));
  reporter.take(document, [...path, "to"], "invalid-request", parseRequestText(spec.to));
  for (const name of Object.keys(spec.headers ?? {})) {
    reporter.take(document, [...path, "headers", name], "invalid-header", parseHeaderName(name));
  }
  if (spec.upgrade !== undefined) {
    reporter.take(document, [...path, "upgrade"], "invalid-upgrade", parseUpgrade(spec.upgrade.toLowerCase()));
  }
  const expect = typeof spec.expect === "string" ? { effect: spec.expect } : spec.expect;
  if (Object.values(expect).every((each) => each === undefined)) {
    const message = "an expectation names at least one of `effect`, `reason`, `rules` and `shadow`";
    reporter.report(document, [...path, "expect"], "missing-key", message);
  }
  return caseFrom(spec, document.source.position([...path, "name"]));
}

/** A case whose shape is right as it is run; an `expect` of one word is an effect. */
export function caseFrom(spec: DecisionTestSpec["cases"][number], at: SourcePosition): DecisionCase {
  const { name, from, to, headers = {}, upgrade = null } = spec;
  const expect = typeof spec.expect === "string" ? { effect: spec.expect } : spec.expect;
  const { effect = null, reason = null, rules = null, shadow = null } = expect as Exclude<typeof spec.expect, string>;
  return { name, at, from, to, headers, upgrade, expect: { effect, reason, rules, shadow } };
}
