import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compileBundle } from "../../src/bundle/compile.ts";
import { readBundleSet } from "../../src/bundle/read-set.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { aim, aimsOf } from "./aim.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { show } from "./compare.ts";
import { build, formatFiles, toFiles } from "./pipeline.ts";
import { realise } from "./realise.ts";
import { requestDraft } from "./request-draft.ts";
import { setDraft } from "./set-draft.ts";

const module = readEngineModule();
const budget = budgetFor(150);

test("a set read back from its bundle decides everything the same, with the same names", {
  timeout: budget.timeoutMs,
}, () => {
  let matched = 0;
  const requests = fc.array(requestDraft, { minLength: 60, maxLength: 60 });
  const property = fc.property(setDraft, requests, (draft, drafts) => {
    const generated = realise(draft);
    const { bundle, engine } = build(generated);
    const set = readBundleSet(bundle);
    const again = createEngine(module, compileBundle(set));
    for (const each of drafts) {
      const { request, nowMs } = aim(each, aimsOf(generated));
      const [one, other] = [engine.decide(request, nowMs), again.decide(request, nowMs)];
      if (one.rules.length > 0) matched += 1;
      if (show(one) !== show(other)) {
        throw new Error([formatFiles(toFiles(generated.documents)), ...[request, one, other].map(show)].join("\n"));
      }
    }
    // What can be read is read once more the same.
    expect(readBundleSet(compileBundle(set)).policies.length).toBe(set.policies.length);
  });
  runProperty(property, budget);
  expect(matched).toBeGreaterThan(500);
});

test("damaged bundles are read or refused, and nothing else", () => {
  const [draft] = fc.sample(setDraft, { seed: 7, numRuns: 1 });
  if (draft === undefined) throw new Error("no draft");
  const { bundle } = build(realise(draft));
  let refused = 0;
  for (let at = 0; at < bundle.length; at += 5) {
    const damaged = bundle.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0xff;
    try {
      createEngine(module, damaged);
      readBundleSet(damaged);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(10);
});
