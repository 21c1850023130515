import * as fc from "fast-check";
import { expect, test } from "vitest";
import { vocabularyOf } from "../../src/analyze/atoms/vocabulary.ts";
import { decideAgain, replayPolicies } from "../../src/analyze/replay/decide-again.ts";
import { recordedLine } from "../replay/recorded.ts";
import { aim, aimsOf } from "./aim.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { show } from "./compare.ts";
import { build, formatFiles, toFiles } from "./pipeline.ts";
import { realise } from "./realise.ts";
import { requestDraft } from "./request-draft.ts";
import { setDraft } from "./set-draft.ts";
import { HEADER_NAMES } from "./universe.ts";

const budget = budgetFor(60);
const requests = fc.array(requestDraft, { minLength: 40, maxLength: 40 });
const recorded = fc.subarray([...HEADER_NAMES, "upgrade", "connection"]);

test("what is on record comes out the same under its own policies, and under others as the request itself would", {
  timeout: budget.timeoutMs,
}, () => {
  const kinds = new Map<string, number>();
  const property = fc.property(setDraft, setDraft, requests, recorded, (first, second, drafts, headers) => {
    const [then, now] = [realise(first), realise(second)];
    const [old, other] = [then, now].map((each) => {
      const { set, engine } = build(each);
      return replayPolicies(set, engine);
    });
    if (old === undefined || other === undefined) return;
    const vocabulary = vocabularyOf([old.set, other.set]);
    for (const draft of drafts) {
      const { request, nowMs } = aim(draft, aimsOf(then));
      const record = JSON.parse(recordedLine(old.engine, request, nowMs, headers));
      const describe = (...what: unknown[]) =>
        [
          formatFiles(toFiles(then.documents)),
          formatFiles(toFiles(now.documents)),
          ...[request, record, ...what].map(show),
        ].join("\n");

      const again = decideAgain(record, nowMs, old, old, vocabulary);
      // Only what was cut, or has too many ways to be filled in; one is any text that an expression reads.
      const hopeless =
        again.kind === "undecidable" &&
        (["identity", "path"].includes(again.on.join()) ||
          again.on.length > 3 ||
          again.on.some((each) => vocabulary.opaque.has(each.replace("header ", ""))));
      if (again.kind === "failed" || (again.kind === "undecidable" && !hopeless)) throw new Error(describe(again));
      if (again.kind === "decided" && again.now.effect !== record.effect) throw new Error(describe(again));

      const real = other.engine.decide(request, nowMs);
      const upgrades = request.headers.some(([name]) => name === "upgrade" || name === ":protocol");
      const plain = !upgrades && !request.path.includes("#");
      for (const own of [old, null]) {
        const moved = decideAgain(record, nowMs, other, own, vocabulary);
        kinds.set(moved.kind, (kinds.get(moved.kind) ?? 0) + 1);
        if (moved.kind === "failed" || moved.kind === "own") throw new Error(describe(moved));
        // Under which of the mesh's names it came, only the policies of then tell.
        const named = own !== null || record.subject.spiffeId === request.principal;
        if (!plain || !named) continue;
        if (moved.kind === "refused" && real.effect !== "deny") throw new Error(describe(moved, real));
        if (moved.kind !== "decided") continue;
        if (moved.now.effect !== real.effect) throw new Error(describe(moved, real));
        if (moved.shadow && moved.now.shadow !== real.shadow) throw new Error(describe(moved, real));
      }
    }
  });
  runProperty(property, budget);
  process.stdout.write(`${show([...kinds])} (seed ${budget.parameters.seed})\n`);
  for (const kind of ["decided", "refused", "undecidable"]) expect(kinds.get(kind) ?? 0, kind).toBeGreaterThan(50);
});
