import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { CheckInput } from "../../src/pdp/decision.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { decide } from "../oracle/decide.ts";
import { readWorld, type World } from "../oracle/documents.ts";
import { aim, aimsOf } from "../property/aim.ts";
import { compileFiles, toFiles } from "../property/pipeline.ts";
import { realise } from "../property/realise.ts";
import { requestDraft } from "../property/request-draft.ts";
import { setDraft } from "../property/set-draft.ts";
import { startFilterEnvoy, type Told } from "../support/filter/filter-envoy.ts";

/** `POLICY_SWAPS=10000` for the long run. */
const SWAPS = Number(process.env.POLICY_SWAPS ?? 300);
const SETS = 24;
const TOGETHER = 6;
/** Time enough for each. */
const LIMIT_MS = 60_000 + SWAPS * 120;

test(
  "policies that change at each poll under load: every decision is one of the revision that it names",
  async () => {
    const module = readEngineModule();
    const worlds = new Map<string, World>();
    const policies: { readonly revision: string; readonly bundle: Uint8Array }[] = [];
    const names = new Set<string>();
    const drafts: CheckInput[] = [];
    for (const [draft, requests] of fc.sample(fc.tuple(setDraft, fc.array(requestDraft, { minLength: 20 })), {
      seed: 20_261_124,
      numRuns: SETS,
    })) {
      const set = realise(draft);
      const bundle = compileFiles(toFiles(set.documents), set.invalidNamespaces);
      const engine = createEngine(module, bundle);
      worlds.set(engine.revision, readWorld(set.documents, set.invalidNamespaces));
      policies.push({ revision: engine.revision, bundle });
      for (const name of engine.headers) names.add(name);
      drafts.push(...requests.map((each) => aim(each, aimsOf(set)).request).filter(({ kind }) => kind === "http"));
    }
    const envoy = await startFilterEnvoy();
    try {
      const [first] = policies;
      if (first === undefined) throw new Error("no policies were drawn");
      await envoy.install(first.revision, first.bundle, [...names]);
      const questions: { readonly sent: CheckInput; readonly seen: CheckInput }[] = [];
      for (const sent of drafts) {
        const seen = questions.length < 200 ? await envoy.prepare(sent) : null;
        if (seen !== null) questions.push({ sent, seen });
      }
      expect(questions.length).toBeGreaterThan(50);
      const swaps = envoy.rotate(policies);
      const revisions = new Set<string>();
      let decided = 0;
      const work = async (from: number) => {
        for (let n = from; swaps() < SWAPS; n += 1) {
          const question = questions[n % questions.length];
          if (question === undefined) return;
          const told = await envoy.decide(question.sent);
          if (told === null) continue;
          const world = worlds.get(told.revision);
          if (world === undefined) throw new Error(`nobody knows the revision ${told.revision}`);
          const verdict = decide(world, question.seen, Date.now());
          expect(plain(told), JSON.stringify(question.seen)).toEqual(plain(verdict));
          revisions.add(told.revision);
          decided += 1;
        }
      };
      await Promise.all(Array.from({ length: TOGETHER }, (_, n) => work(n * 31)));
      process.stdout.write(`${swaps()} swaps of policies under ${decided} decisions, all by the revision they name\n`);
      expect(revisions.size).toBe(worlds.size);
      expect(decided).toBeGreaterThan(SWAPS);
      expect(envoy.output()).not.toMatch(/wasm.*(trap|unreachable|Function: )/i);
    } finally {
      await envoy.close();
    }
  },
  LIMIT_MS,
);

function plain({
  effect,
  reason,
  rules,
  shadow,
  shadowRules,
}: Pick<Told, "effect" | "reason" | "rules" | "shadow" | "shadowRules">) {
  return { effect, reason, rules, shadow, shadowRules };
}
