import { readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { closedSet } from "../../src/analyze/evidence/closed-set.ts";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import type { CheckInput } from "../../src/pdp/decision.ts";
import { createEngine, type Engine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { PolicySet } from "../../src/policy/model.ts";
import { readPolicyDirectory } from "../../src/server/read-policies.ts";
import { lineOfInput, type Sent, trailOf } from "../learn/trail.ts";
import { temporaryDirectory } from "./policy-dir.ts";
import { REPOSITORY, runCli } from "./run-cli.ts";

const POLICIES = join(REPOSITORY, "test/cli/learn-policies");
const DAY_MS = 86_400_000;
const BEGIN_MS = Date.parse("2026-11-10T09:00:00Z");
const STRIPE = "http://api.stripe.com";
const NOW_MS = Date.parse("2026-11-23T12:00:00Z");
const OPTIONS = ["--owner", "payments@example.com", "--now", "2026-11-23T12:00:00Z"];

async function setOf(directory: string): Promise<PolicySet> {
  const { set } = loadPolicySet(await readPolicyDirectory(directory), createCanonicaliser(readEngineModule()));
  if (set === null) throw new Error("the policies are not valid");
  return set;
}

/** A server's engine for the policies, that lets pass what nobody registers, as under AllowAny. */
async function runningEngine(): Promise<Engine> {
  const set = await setOf(POLICIES);
  const open = { ...set, gateway: { ...set.gateway, securityModel: "AllowAny" as const } };
  return createEngine(readEngineModule(), compileBundle(open));
}

function often(times: number, everyMs: number, from: string, to: (time: number) => string): Sent[] {
  return Array.from({ length: times }, (_, i) => ({ timeMs: BEGIN_MS + i * everyMs, from, to: to(i) }));
}

const TRAFFIC: readonly Sent[] = [
  ...often(40, DAY_MS / 4, "payments/checkout", () => `POST ${STRIPE}/v1/charges`),
  ...often(30, DAY_MS / 4, "payments/checkout", (i) => `GET ${STRIPE}/v1/charges/ch_${i}`),
  ...often(3, DAY_MS, "payments/checkout", (i) => `POST ${STRIPE}/v1/refunds/${i + 7}`),
  ...often(1, DAY_MS, "payments/checkout", () => `GET ${STRIPE}/v1/events/0d2c8a4e-1b5f-4c3d-9e7a-123456789abc`),
  ...often(2, DAY_MS, "payments/checkout", () => `GET ${STRIPE}/v1/balance`),
  ...often(1, DAY_MS, "payments/checkout", () => `DELETE ${STRIPE}/v1/charges/ch_1`),
  ...often(1, DAY_MS, "payments/checkout", () => "GET http://169.254.169.254/latest/meta-data"),
  ...often(1, DAY_MS, "payments/checkout", () => `GET ${STRIPE}/v1/a/../b`),
  ...often(6, DAY_MS, "payments/checkout", (i) => `TLS c${i}.cdn.example.com`),
  ...often(1, DAY_MS, "payments/reports", () => `GET ${STRIPE}/v1/charges`),
  ...often(5, DAY_MS, "payments/reports", () => "TLS hub.example.net"),
  ...often(5, DAY_MS, "ml/train", () => "TLS pypi.org"),
  ...often(2, DAY_MS, "ml/train", () => "TLS hub.example.net"),
  ...often(2, DAY_MS, "ml/train", () => "TCP db.example.net:5432"),
  ...often(2, DAY_MS, "ml/train", () => "GET http://odd.example.net:8443/"),
  ...often(2, DAY_MS, "ml/train", () => "TLS odd.example.net:8443"),
  ...often(2, DAY_MS, "spiffe://partner.example/batch", () => `GET ${STRIPE}/v1/events`),
];

async function trailFile(text?: string): Promise<string> {
  const directory = await temporaryDirectory({ "audit.jsonl": text ?? trailOf(await runningEngine(), TRAFFIC) });
  return join(directory, "audit.jsonl");
}

function learn(log: string, ...args: string[]) {
  return runCli(["learn", log, "--policies", POLICIES, ...OPTIONS, ...args]);
}

function golden(name: string): string {
  return join(REPOSITORY, "test/cli/golden/learn", name);
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name).slice(directory.length + 1))
    .sort();
}

/** The policies with a draft beside them. */
async function merged(draft: string): Promise<string> {
  const directory = join(await temporaryDirectory({}), "policies");
  await cp(POLICIES, directory, { recursive: true });
  await cp(draft, directory, { recursive: true });
  return directory;
}

describe("learn", () => {
  it("writes a draft that is valid, passes its tests and gives the lint nothing to mend", async () => {
    const draft = join(await temporaryDirectory({}), "draft");
    const { code, stdout, stderr } = await learn(await trailFile(), "-o", draft, "--wildcard-hosts", "5");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    await expect(stdout.replaceAll(draft, "draft")).toMatchFileSnapshot(golden("learnt.txt"));
    const files = filesIn(draft);
    expect(files).toEqual([
      "learnt-batch.test.yaml",
      "learnt-batch.yaml",
      "learnt-services.yaml",
      "ml/learnt-services.yaml",
      "ml/learnt-train.test.yaml",
      "ml/learnt-train.yaml",
      "payments/learnt-checkout.test.yaml",
      "payments/learnt-checkout.yaml",
      "payments/learnt-reports.test.yaml",
      "payments/learnt-reports.yaml",
      "payments/learnt-services.yaml",
    ]);
    for (const file of files) {
      await expect(readFileSync(join(draft, file), "utf8")).toMatchFileSnapshot(golden(`draft/${file}`));
    }
    const policies = await merged(draft);
    expect((await runCli(["validate", "--policies", policies])).code).toBe(0);
    const tests = await runCli(["test", "--policies", policies, "-o", "json"]);
    expect([tests.code, JSON.parse(tests.stdout).failed]).toEqual([0, 0]);
    expect(JSON.parse(tests.stdout).passed).toBeGreaterThan(20);
    const lint = await runCli(["lint", "--policies", policies, "--now", "2026-11-23T12:00:00Z", "-o", "json"]);
    const found: { file: string; severity: string }[] = JSON.parse(lint.stdout).findings;
    expect(found.filter(({ file, severity }) => files.includes(file) && severity !== "note")).toEqual([]);

    // A test of the first draft that says what a second one learns after all is told of.
    const later = trailOf(
      await runningEngine(),
      often(1, 0, "payments/checkout", () => `POST ${STRIPE}/beside/what/was/seen`),
    );
    const second = await runCli(["learn", await trailFile(later), "--policies", policies, ...OPTIONS]);
    expect(second.stdout).toContain("payments/learnt-checkout/another path: api.stripe.com:80 no longer comes out");

    // What is drafted is learnt: nothing is left to draft, and nothing is overwritten.
    const again = await runCli(["learn", await trailFile(), "--policies", policies, ...OPTIONS, "-o", draft]);
    expect([again.code, again.stdout.trimEnd().split("\n").at(-1)]).toEqual([0, "Nothing to draft."]);
    const twice = await learn(await trailFile(), "-o", draft);
    expect([twice.code, twice.stdout]).toEqual([1, ""]);
    expect(twice.stderr).toContain("exists already");
  });

  it("prints a stable JSON document, with the files when none is written", async () => {
    const { code, stdout, stderr } = await learn(await trailFile(), "--output", "json", "--min-count", "3");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    await expect(stdout).toMatchFileSnapshot(golden("learnt.json"));
  });

  it("leaves out what was seen too rarely, on too few days, or too long ago", async () => {
    const log = await trailFile();
    const told = async (...args: string[]) => {
      const { learnt, leftOut } = JSON.parse((await learn(log, "--output", "json", ...args)).stdout);
      const rare = leftOut.find(({ why }: { why: string }) => why === "below-threshold")?.count ?? 0;
      return [learnt, rare];
    };
    expect(await told()).toEqual([96, 0]);
    expect(await told("--min-count", "5")).toEqual([80, 20]);
    expect(await told("--min-days", "9")).toEqual([40, 60]);
    expect(await told("--days", "5")).toEqual([7, 0]);
  });

  it("takes nothing that values of a trail say for YAML, for a name or for a pattern", async () => {
    const engine = await runningEngine();
    const id = "spiffe://cluster.local/ns/payments/sa/checkout";
    const base: CheckInput = {
      ...{ kind: "http", principal: id, host: "api.stripe.com", port: null, method: "GET", path: "/", headers: [] },
    };
    const paths = [
      ...[
        "/a\nowner: evil",
        "/a # b",
        "/a: b",
        "/- x",
        "/&anchor",
        "/!tag",
        "/%0aowner:%20evil",
        "/{**}",
        "/*",
        "/%7b*%7d",
      ],
      ...["/\u2028x", "/\u202ex", "/\u0007", "/\"q\" 'r'", "/[a, b]", "/?x", "/…[5000 characters]", "/\ufffd"],
      `/${"x".repeat(2000)}`,
    ];
    const inputs: CheckInput[] = [
      ...paths.map((path) => ({ ...base, path })),
      ...["get", "CONNECT", "G*T", "!x", "GET\n", "-"].map((method) => ({ ...base, method })),
      ...["../../etc", "-a", "a..b", "UPPER", "x".repeat(200), "a_b"].map((name) => ({
        ...base,
        principal: `spiffe://cluster.local/ns/payments/sa/${name}`,
      })),
      ...["UPPER", "..", "a.b", "x".repeat(64)].map((name) => ({
        ...base,
        principal: `spiffe://cluster.local/ns/${name}/sa/checkout`,
      })),
      ...["*.example.com", "a b.example.com", "xn--80ak6aa92e.com", "EXAMPLE.com.", "co.uk"].map((host) => ({
        ...base,
        host,
      })),
    ];
    const lines = inputs.map((each, i) => lineOfInput(engine, each, BEGIN_MS + i, i + 1));
    const strange = JSON.stringify({ ...JSON.parse(lines[0] ?? ""), id: "x\n- evil" });
    const log = await trailFile(`${lines.join("\n")}\n${strange}\nnot a line\n`);
    const draft = join(await temporaryDirectory({}), "draft");
    const { code, stdout, stderr } = await learn(log, "-o", draft);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining("1 line of the trail cannot be read"),
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u2028\u202e]/);
    await expect(stdout.replaceAll(draft, "draft")).toMatchFileSnapshot(golden("hostile.txt"));
    for (const file of filesIn(draft)) {
      await expect(readFileSync(join(draft, file), "utf8")).toMatchFileSnapshot(golden(`hostile/${file}`));
    }
    const policies = await merged(draft);
    expect((await runCli(["validate", "--policies", policies])).code).toBe(0);
    const enforced = createEngine(readEngineModule(), compileBundle(closedSet(await setOf(policies))));
    for (const [workload, host, path] of [
      ["checkout", "api.stripe.com", "/anything"],
      ["checkout", "api.stripe.com", "/a/b"],
      ["checkout", "www.example.com", "/"],
      ["other", "api.stripe.com", "/"],
    ] as const) {
      const input = { ...base, principal: `spiffe://cluster.local/ns/payments/sa/${workload}`, host, path };
      expect(enforced.decide(input, NOW_MS).effect).toBe("deny");
    }
  });

  it("keeps one workload that asks for ever new things from drowning the others", async () => {
    const engine = await runningEngine();
    const flood = often(
      30_000,
      1,
      "payments/scanner",
      (i) =>
        `GET ${STRIPE}/${"abcdefghij"[i % 10]}/x/${"klmnopqrst"[Math.floor(i / 10) % 10]}/y/${"uvwxyz"[Math.floor(i / 100) % 6]}/${"abcdefghij"[Math.floor(i / 600) % 10]}z/${"klmno"[Math.floor(i / 6000) % 5]}`,
    );
    // Few enough things to review, but dearer than a decision may be.
    const wide = "x".repeat(300);
    const dear = often(324, 1, "payments/dear", (i) => `GET ${STRIPE}/${wide}${i % 18}/${wide}${Math.floor(i / 18)}/y`);
    const log = await trailFile(trailOf(engine, [...flood, ...dear, ...TRAFFIC]));
    const { code, stdout } = await learn(log, "--output", "json");
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.learnt).toBe(96);
    expect(report.leftOut).toContainEqual(expect.objectContaining({ why: "too-varied", count: 30_000 }));
    expect(report.leftOut).toContainEqual(expect.objectContaining({ why: "unprovable", count: 324 }));
  });

  it("exits 64 without an owner and on wrong options, 3 on invalid policies, 1 on a trail that is not there", async () => {
    const log = await trailFile();
    const usage = await runCli(["learn", log, "--policies", POLICIES]);
    expect([usage.code, usage.stdout]).toEqual([64, ""]);
    expect(usage.stderr).toContain("--owner");
    for (const args of [
      ["--owner", "a\nb"],
      ["--min-count", "0"],
    ])
      expect((await learn(log, ...args)).code).toBe(64);
    const bad = await temporaryDirectory({ "bad.yaml": "kind: Nonsense\n" });
    expect((await runCli(["learn", log, "--policies", bad, ...OPTIONS])).code).toBe(3);
    const absent = await learn("no-such-file.jsonl");
    expect([absent.code, absent.stdout]).toEqual([1, ""]);
    const blocked = await temporaryDirectory({});
    await mkdir(join(blocked, "draft"));
    await writeFile(join(blocked, "draft/ml"), "in the way");
    const unwritten = await learn(log, "-o", join(blocked, "draft"));
    expect(unwritten.code).toBe(1);
    expect(unwritten.stderr).toContain("draft/ml");
  });
});
