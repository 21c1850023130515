import * as fc from "fast-check";
import { expect, it } from "vitest";
import { importIstio } from "../../../src/import/istio/import.ts";
import { reportOf } from "../../../src/import/report.ts";
import { budgetFor, runProperty } from "../../property/budget.ts";
import { deciderOf, OPTIONS, sourceFile } from "../support/decide.ts";
import { questionOf, requests } from "./requests.ts";
import { routedDraft, routedText } from "./route-draft.ts";
import { judgeRouted } from "./route-judge.ts";

const budget = budgetFor(200);

it("opens nothing that routes do not take out", { timeout: budget.timeoutMs }, () => {
  const seen = { decisions: 0, allowed: 0, theirs: 0, narrowed: 0 };
  const codes = new Map<string, number>();
  let round = 0;
  const property = fc.property(routedDraft, (mesh) => {
    round += 1;
    const text = routedText(mesh);
    const imported = importIstio([sourceFile("mesh.yaml", text)], null, OPTIONS);
    const ours = deciderOf(imported);
    const notes = imported.ok ? reportOf(imported) : [];
    for (const { code } of notes) codes.set(code, (codes.get(code) ?? 0) + 1);
    for (const asked of requests(round)) {
      const question = questionOf(asked);
      const allowed = ours.allows(question);
      const theirs = judgeRouted(mesh, asked);
      seen.decisions += 1;
      if (allowed) seen.allowed += 1;
      if (theirs) seen.theirs += 1;
      if (theirs && !allowed) seen.narrowed += 1;
      if (allowed && !theirs) {
        const told = notes.map(({ code, message }) => `${code}: ${message}`).join("\n");
        throw new Error(`${JSON.stringify(question)}: widened\n${told}\n${text}\n${ours.text}`);
      }
    }
  });
  runProperty(property, budget);
  process.stdout.write(`${JSON.stringify({ ...seen, codes: Object.fromEntries(codes) })}\n`);
  expect(seen.allowed).toBeGreaterThan(seen.decisions / 30);
  expect(seen.narrowed).toBeGreaterThan(0);
  expect(codes.get("route-stops")).toBeGreaterThan(10);
  expect(codes.get("route-narrowed")).toBeGreaterThan(10);
});
