import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { startLab } from "../../src/cli/demo/lab.ts";
import { envoyTarget } from "../../src/generate/envoy/target.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { PolicySet } from "../../src/policy/model.ts";
import { readPolicyDirectory } from "../../src/server/read-policies.ts";
import { budgetFor } from "../property/budget.ts";
import { formatFiles, toFiles } from "../property/pipeline.ts";
import { realise } from "../property/realise.ts";
import { setDraft } from "../property/set-draft.ts";
import { reachOf } from "../support/reach.ts";
import { differences } from "./reach-gateway.ts";

const canonicaliser = createCanonicaliser(readEngineModule());
const SHIPPED = new URL("../../policies", import.meta.url).pathname;

/** Random sets of a default run; `PROPERTY_SECONDS` draws others for that long. */
const SETS = 6;

async function disagreements(directory: string, set: PolicySet): Promise<readonly string[]> {
  const lab = await startLab({ policies: directory, timeoutMs: 5_000 });
  try {
    return await differences(lab, reachOf(set), set.gateway.trustDomains[0] ?? "");
  } finally {
    await lab.close();
  }
}

/** What a standalone gateway has no way out for, on purpose, and says so in a note. */
function isWhole(set: PolicySet): boolean {
  const gateway = {
    ...set.gateway,
    authorizer: { service: "sallyport.sallyport-system", port: 9191, timeoutMs: 250, failOpen: false },
  };
  return envoyTarget.generate({ ...set, gateway }, { native: false }).notes.length === 0;
}

describe("decision and configuration agree: allowed by check ⇔ reached through the generated gateway", () => {
  it("for every workload, service and port of the shipped policies", async () => {
    const { set } = loadPolicySet(await readPolicyDirectory(SHIPPED), canonicaliser);
    if (set === null) throw new Error("the shipped policies are refused");
    const { workloads, targets } = reachOf(set);
    expect(workloads.length * targets.length).toBeGreaterThan(500);
    expect(await disagreements(SHIPPED, set)).toEqual([]);
  }, 120_000);

  const budget = budgetFor(SETS);
  it(
    "for random small sets",
    async () => {
      const { seed, interruptAfterTimeLimit = 0 } = budget.parameters;
      const until = Date.now() + interruptAfterTimeLimit;
      let tried = 0;
      for (let round = 0; tried < SETS || Date.now() < until; round++) {
        const [draft] = fc.sample(setDraft, { seed: seed + round, numRuns: 1 });
        if (draft === undefined) throw new Error("nothing was drawn");
        const files = toFiles(realise({ ...draft, model: undefined, invalid: 7 }).documents);
        const { set } = loadPolicySet(files, canonicaliser);
        if (set === null || !isWhole(set)) continue;
        tried += 1;
        const directory = await mkdtemp(join(tmpdir(), "sallyport-agreement-"));
        try {
          for (const { path, bytes } of files) {
            await mkdir(dirname(join(directory, path)), { recursive: true });
            await writeFile(join(directory, path), bytes);
          }
          const found = await disagreements(directory, set);
          expect(found, `seed ${seed + round}:\n${formatFiles(files)}`).toEqual([]);
        } finally {
          await rm(directory, { recursive: true, force: true });
        }
      }
    },
    budget.timeoutMs,
  );
});
