import { readFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { readPolicyDirectory } from "../../src/server/read-policies.ts";
import { type Sent, trailOf } from "../learn/trail.ts";
import { temporaryDirectory } from "./policy-dir.ts";
import { REPOSITORY, runCli } from "./run-cli.ts";

const POLICIES = join(REPOSITORY, "test/cli/promote-policies");
const DAY_MS = 86_400_000;
const BEGIN_MS = Date.parse("2026-11-10T09:00:00Z");
const NOW = ["--now", "2026-11-23T12:00:00Z"];
const STRIPE = "http://api.stripe.com";

function daily(times: number, from: string, to: string, headers = {}): Sent[] {
  return Array.from({ length: times }, (_, i) => ({ timeMs: BEGIN_MS + i * DAY_MS, from, to, headers }));
}

const TRAFFIC: readonly Sent[] = [
  ...daily(10, "payments/checkout", `POST ${STRIPE}/v1/charges`),
  ...daily(3, "payments/refunds", `POST ${STRIPE}/v1/refunds/re_1`),
  ...daily(4, "payments/refunds", `GET ${STRIPE}/v1/refunds`),
  ...daily(2, "ml/train", `GET ${STRIPE}/v1/events`, { "x-team": "ml" }),
  ...daily(2, "ml/train", "TLS pypi.org"),
];

async function trailFile(traffic = TRAFFIC): Promise<string> {
  const module = readEngineModule();
  const { set } = loadPolicySet(await readPolicyDirectory(POLICIES), createCanonicaliser(module));
  if (set === null) throw new Error("the policies are not valid");
  const text = trailOf(createEngine(module, compileBundle(set)), traffic);
  return join(await temporaryDirectory({ "audit.jsonl": text }), "audit.jsonl");
}

/** A copy of the policies that may be changed. */
async function copied(): Promise<string> {
  const directory = join(await temporaryDirectory({}), "policies");
  await cp(POLICIES, directory, { recursive: true });
  return directory;
}

function promote(log: string, policies: string, ...args: string[]) {
  return runCli(["promote", "--audit", log, "--policies", policies, ...NOW, ...args]);
}

function golden(name: string): string {
  return join(REPOSITORY, "test/cli/golden/promote", name);
}

async function ready(log: string, policies: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await promote(log, policies, "--dry-run", "-o", "json", ...args);
  const { policies: judged } = JSON.parse(stdout);
  return judged.filter((each: { ready: boolean }) => each.ready).map((each: { policy: string }) => each.policy);
}

describe("promote", () => {
  it("enforces what is ready, changes nothing else in its file, and says why the others are not", async () => {
    const policies = await copied();
    const log = await trailFile();
    const { code, stdout, stderr } = await promote(log, policies);
    expect({ code, stderr }).toEqual({ code: 4, stderr: "" });
    await expect(stdout.replaceAll(policies, "policies")).toMatchFileSnapshot(golden("promoted.txt"));
    const changed = (file: string) => {
      const before = readFileSync(join(POLICIES, file), "utf8").split("\n");
      const after = readFileSync(join(policies, file), "utf8").split("\n");
      expect(after.length).toBe(before.length);
      return after.filter((line, index) => line !== before[index]);
    };
    expect(changed("payments/stripe.yaml")).toEqual(["  mode: enforce   # until the team has looked"]);
    expect(changed("gateway.yaml")).toEqual(["  mode: enforce # not yet"]);
    expect(changed("ml/train.yaml")).toEqual(["  mode: enforce"]);
    expect((await runCli(["validate", "--policies", policies])).code).toBe(0);
    const check = await runCli([
      "check",
      "payments/checkout",
      `POST ${STRIPE}/v1/charges`,
      "--policies",
      policies,
      ...NOW,
      "-o",
      "json",
    ]);
    expect(JSON.parse(check.stdout)).toMatchObject({
      reason: "allowed-by-rule",
      rules: [{ id: "payments/stripe/charge" }],
    });
    const again = await promote(log, policies, "payments/stripe");
    expect([again.code, again.stdout]).toEqual([64, ""]);
    expect(again.stderr).toContain("in report mode: loud, payments/refunds");
  });

  it("changes nothing in a dry run, and prints a stable JSON document", async () => {
    const policies = await copied();
    const { code, stdout } = await promote(await trailFile(), policies, "--dry-run", "-o", "json");
    expect(code).toBe(4);
    await expect(stdout).toMatchFileSnapshot(golden("dry-run.json"));
    for (const file of ["gateway.yaml", "payments/stripe.yaml", "ml/train.yaml"]) {
      expect(readFileSync(join(policies, file), "utf8")).toBe(readFileSync(join(POLICIES, file), "utf8"));
    }
  });

  it("asks for as much evidence, over as many days, with as few surprises as it is told", async () => {
    const log = await trailFile();
    expect(await ready(log, POLICIES)).toEqual(["quiet", "ml/train", "payments/stripe"]);
    expect(await ready(log, POLICIES, "--min-days", "11")).toEqual([]);
    expect(await ready(log, POLICIES, "--min-count", "3")).toEqual(["quiet", "payments/stripe"]);
    expect(await ready(log, POLICIES, "--max-surprises", "2")).toEqual([
      "loud",
      "quiet",
      "ml/train",
      "payments/stripe",
    ]);
    expect(await ready(log, POLICIES, "--days", "8", "--min-days", "4")).toEqual(["loud", "quiet", "payments/stripe"]);
    // A request of the same workload to the same place that no rule is for: closing the fallback would stop it.
    const other = await trailFile([...TRAFFIC, ...daily(1, "payments/checkout", `GET ${STRIPE}/v1/balance`)]);
    expect(await ready(other, POLICIES)).toEqual(["quiet", "ml/train"]);
    expect(await ready(other, POLICIES, "--max-surprises", "1")).toEqual(["quiet", "ml/train", "payments/stripe"]);
  });

  it("exits 0 when all that were asked about are ready", async () => {
    const policies = await copied();
    const one = await promote(await trailFile(), policies, "ml/train", "quiet");
    expect([one.code, one.stderr]).toEqual([0, ""]);
    expect(readFileSync(join(policies, "payments/stripe.yaml"), "utf8")).toContain("mode: report");
  });

  it("exits 64, 3 or 1 when it cannot be asked so, and says why", async () => {
    const log = await trailFile();
    for (const args of [["no/such"], ["--min-count", "none"], ["--max-surprises", "-1"], ["-o", "sarif"]]) {
      const { code, stdout, stderr } = await promote(log, POLICIES, ...args);
      expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
      expect(stderr).not.toBe("");
    }
    expect((await runCli(["promote", "--policies", POLICIES])).code).toBe(64);
    const bad = await temporaryDirectory({ "bad.yaml": "kind: Nonsense\n" });
    expect((await promote(log, bad)).code).toBe(3);
    expect((await promote("no-such-file.jsonl", POLICIES)).code).toBe(1);
  });
});
