import * as fc from "fast-check";
import { expect, it } from "vitest";
import { importIstio } from "../../../src/import/istio/import.ts";
import { IMPORT_CODES } from "../../../src/import/note.ts";
import { reportOf } from "../../../src/import/report.ts";
import { budgetFor, runProperty } from "../../property/budget.ts";
import { deciderOf, OPTIONS, sourceFile } from "../support/decide.ts";
import { judgeIstio } from "./judge.ts";
import { meshDraft, meshText } from "./mesh-draft.ts";
import { questionOf, requests } from "./requests.ts";

const budget = budgetFor(200);

it("allows nothing that Istio denies, and by the notes alone less", { timeout: budget.timeoutMs }, () => {
  const seen = { decisions: 0, allowed: 0, narrowed: 0, exact: 0, exactAllowed: 0 };
  const codes = new Map<string, number>();
  let round = 0;
  const property = fc.property(fc.boolean().chain(meshDraft), (mesh) => {
    round += 1;
    const text = meshText(mesh);
    const imported = importIstio([sourceFile("mesh.yaml", text)], null, OPTIONS);
    const ours = deciderOf(imported);
    const notes = imported.ok ? reportOf(imported) : [];
    for (const { code } of notes) codes.set(code, (codes.get(code) ?? 0) + 1);
    // Only workloads of the mesh ask here, so that "everyone" is they.
    const exact = notes.every(
      ({ code }) => ["from-everyone", "no-allow-policy"].includes(code) || IMPORT_CODES[code].effect === "dropped",
    );
    if (exact) seen.exact += 1;
    for (const asked of requests(round)) {
      const question = questionOf(asked);
      const allowed = ours.allows(question);
      const theirs = judgeIstio(mesh, asked);
      seen.decisions += 1;
      if (allowed) seen.allowed += 1;
      if (theirs && !allowed) seen.narrowed += 1;
      if (exact && allowed) seen.exactAllowed += 1;
      if (allowed !== theirs && (allowed || exact)) {
        const told = notes.map(({ code, message }) => `${code}: ${message}`).join("\n");
        throw new Error(
          `${JSON.stringify(question)}: ours ${allowed}, theirs ${theirs}\n${told}\n${text}\n${ours.text}`,
        );
      }
    }
  });
  runProperty(property, budget);
  process.stdout.write(`${JSON.stringify({ ...seen, codes: Object.fromEntries(codes) })}\n`);
  expect(seen.allowed).toBeGreaterThan(seen.decisions / 100);
  expect(seen.narrowed).toBeGreaterThan(0);
  expect(seen.exact).toBeGreaterThan(30);
  expect(seen.exactAllowed).toBeGreaterThan(1_000);
});
