import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { PlacedDocument, Policy, Rule } from "../oracle/documents.ts";
import { readWorld } from "../oracle/documents.ts";
import { aim, aimsOf } from "./aim.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { show } from "./compare.ts";
import { engineFor } from "./pipeline.ts";
import { realise } from "./realise.ts";
import { requestDraft } from "./request-draft.ts";
import { setDraft } from "./set-draft.ts";

const budget = budgetFor(80);
const UNCACHEABLE = ["no-identity", "invalid-identity", "invalid-target"];

type NotedRule = Rule & { readonly ticket?: string; readonly reason?: string };

/** Every rule by its id, with its policy's owner. */
function rulesById(
  policies: readonly Policy[],
  documents: readonly PlacedDocument[],
): Map<string, [NotedRule, string]> {
  const owners = new Map(
    documents.map(({ doc }) => {
      const { spec } = doc as { spec: { owner?: string; rules?: unknown } };
      return [spec.rules, spec.owner ?? ""];
    }),
  );
  return new Map(
    policies.flatMap(({ scope, name, rules }) =>
      rules.map((rule): [string, [NotedRule, string]] => {
        const id = `${scope === "" ? "" : `${scope}/`}${name}/${rule.name}`;
        return [id, [rule, owners.get(rules) ?? ""]];
      }),
    ),
  );
}

test("a decision says whom to ask, by its first rule, and is not cached when the question was malformed", {
  timeout: budget.timeoutMs,
}, () => {
  let noted = 0;
  const requests = fc.array(requestDraft, { minLength: 60, maxLength: 60 });
  const property = fc.property(setDraft, requests, (draft, drafts) => {
    const set = realise(draft);
    const rules = rulesById(readWorld(set.documents, set.invalidNamespaces).policies, set.documents);
    const engine = engineFor(set);
    for (const each of drafts) {
      const { request, nowMs } = aim(each, aimsOf(set));
      const decision = engine.decide(request, nowMs);
      if (UNCACHEABLE.includes(decision.reason)) expect(decision.cacheable).toBe(false);
      const [first] = decision.rules;
      const [rule, owner] = rules.get(first ?? "") ?? [];
      if (first === undefined || rule === undefined) {
        expect(decision.note, show(decision)).toBe(null);
        continue;
      }
      noted++;
      const policy = first.slice(0, first.lastIndexOf("/"));
      const { ticket = null, reason = null } = rule;
      expect(decision.note).toEqual({ policy, owner, ticket, reason });
    }
  });
  runProperty(property, budget);
  expect(noted).toBeGreaterThan(500);
});
