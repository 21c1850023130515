import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decide } from "../oracle/decide.ts";
import { readWorld } from "../oracle/documents.ts";
import { aim, aimsOf, type Question } from "./aim.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { engineVerdict, sameVerdict, show } from "./compare.ts";
import { engineFor } from "./pipeline.ts";
import { type GeneratedSet, realise } from "./realise.ts";
import { requestDraft } from "./request-draft.ts";
import { type SetDraft, setDraft } from "./set-draft.ts";

/** Small sets put side by side in one: the same shapes, each under names of its own, so that tables grow and fill. */
const COPIES = 25;
const budget = budgetFor(4);

/** What all parts must share, and what only one may have. */
function partOf(draft: SetDraft, first: SetDraft, index: number): SetDraft {
  const { model, fallback } = first;
  return {
    ...draft,
    ...{
      model,
      fallback,
      domains: ["cluster.local", "mesh.example"],
      federated: 1,
      clusterDomain: undefined,
      invalid: 7,
    },
    services: draft.services.map((each) => ({ ...each, internal: index === 0 ? each.internal : 1 })),
    // A deny of everyone or everywhere would leave nothing to see in all other parts.
    policies: draft.policies.map((each) => ({
      ...each,
      rules: each.rules.map((rule) => ({ ...rule, everyone: 1, everywhere: 1 })),
    })),
  };
}

/** Moves names, namespaces, hosts and identity paths of a part to its own. */
function rename(text: string, index: number): string {
  return text.replace(/\b(shop|till|batch)\b/g, `$1${index}`).replace(/\bexample\.(com|org)/g, `k${index}.example.$1`);
}

function renamedDocuments({ documents }: GeneratedSet, index: number): GeneratedSet["documents"] {
  const json = JSON.stringify(
    documents.filter(({ doc }) => (doc as { kind: string }).kind !== "EgressGateway" || index === 0),
  );
  const named = json.replace(/("metadata":\{"name"|"service"|"group"):"/g, `$1:"k${index}-`);
  return JSON.parse(rename(named, index));
}

function renamedQuestion({ request, nowMs }: Question, index: number): Question {
  const { principal, host, headers } = request;
  const moved = headers.map(
    ([name, value]) => [name, typeof value === "string" && name === "host" ? rename(value, index) : value] as const,
  );
  return {
    nowMs,
    request: { ...request, principal: rename(principal, index), host: rename(host, index), headers: moved },
  };
}

test("engine and oracle agree on large sets", { timeout: budget.timeoutMs }, () => {
  let compared = 0;
  const part = fc.tuple(setDraft, fc.array(requestDraft, { minLength: 100, maxLength: 100 }));
  const property = fc.property(fc.array(part, { minLength: COPIES, maxLength: COPIES }), (parts) => {
    const [first] = parts;
    const sets = parts.map(([draft], index) => realise(partOf(draft, first?.[0] ?? draft, index)));
    const whole = { documents: sets.flatMap(renamedDocuments), invalidNamespaces: ["broken"] };
    const world = readWorld(whole.documents, whole.invalidNamespaces);
    const engine = engineFor(whole);
    for (const [index, [, requests]] of parts.entries()) {
      const aims = aimsOf(sets[index] ?? whole);
      for (const draft of requests) {
        const question = renamedQuestion(aim(draft, aims), index);
        const [one, other] = [engineVerdict(engine, question), decide(world, question.request, question.nowMs)];
        if (!sameVerdict(one, other)) throw new Error([show(question), show(one), show(other)].join("\n"));
        compared++;
      }
    }
  });
  runProperty(property, budget);
  expect(compared).toBeGreaterThanOrEqual(4 * COPIES * 100);
});
