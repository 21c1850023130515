import * as fc from "fast-check";
import { expect, test } from "vitest";
import { enforcePolicies } from "../../src/analyze/promote/edit-mode.ts";
import { createPromoter } from "../../src/analyze/promote/promote.ts";
import type { AuditRecord } from "../../src/audit/record.ts";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { lineOfInput } from "../learn/trail.ts";
import { aim, aimsOf } from "./aim.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { build, toFiles } from "./pipeline.ts";
import { realise } from "./realise.ts";
import { requestDraft } from "./request-draft.ts";
import { setDraft } from "./set-draft.ts";
import { BOUNDARIES_MS, pick } from "./universe.ts";

const budget = budgetFor(250);
const module = readEngineModule();
const canon = createCanonicaliser(module);
const requests = fc.array(requestDraft, { minLength: 80, maxLength: 80 });

test("what is promoted stops nothing that passes, and lets pass what its evidence said", {
  timeout: budget.timeoutMs,
}, () => {
  const counts = { ready: 0, not: 0, opened: 0, surprises: 0 };
  const property = fc.property(setDraft, requests, fc.nat({ max: 9999 }), (draft, drafts, instant) => {
    const generated = realise(draft);
    if (generated.invalidNamespaces.length > 0) return;
    const { set, engine } = build(generated);
    const nowMs = pick(BOUNDARIES_MS, instant);
    const inputs = drafts.map((each) => aim(each, aimsOf(generated)).request);
    const promoter = createPromoter(set, module, { nowMs, minCount: 1, minDays: 1, maxSurprises: 0 });
    for (const [index, input] of inputs.entries()) {
      const record: AuditRecord = JSON.parse(lineOfInput(engine, input, nowMs, index + 1));
      promoter.add(record, nowMs);
    }
    const judged = promoter.finish().policies;
    const ready = judged.filter((each) => each.ready);
    counts.ready += ready.length;
    counts.not += judged.length - ready.length;
    counts.surprises += judged.flatMap(({ rules }) => rules).filter(({ surprises }) => surprises.count > 0).length;
    const sources = toFiles(generated.documents);
    const edited = enforcePolicies(
      set,
      sources,
      ready.map(({ policy }) => policy),
      canon,
    );
    if (!edited.ok) throw new Error(edited.message);
    const after = createEngine(module, compileBundle(edited.value.set));
    const allowing = new Set<string>();
    for (const input of inputs) {
      const before = engine.decide(input, nowMs);
      const now = after.decide(input, nowMs);
      if (before.effect === "allow") expect(now.effect, JSON.stringify(input)).toBe("allow");
      else if (now.effect === "allow") counts.opened += 1;
      expect([now.shadow, now.shadowRules]).toEqual([before.shadow, before.shadowRules]);
      if (now.reason === "allowed-by-rule") for (const id of now.rules) allowing.add(id);
    }
    const allows = ready.flatMap(({ rules }) => rules).filter(({ rule }) => rule.effect === "allow");
    for (const { id } of allows) {
      expect(allowing.has(id), id).toBe(true);
    }
  });
  runProperty(property, budget);
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(5);
});
