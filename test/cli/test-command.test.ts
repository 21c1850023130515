import { describe, expect, it } from "vitest";
import { SMALL_SET, temporaryDirectory } from "./policy-dir.ts";
import { runCli } from "./run-cli.ts";

const CASES = `apiVersion: sallyport.dev/v1alpha1
kind: DecisionTest
metadata: {name: small}
spec:
  now: 2026-11-23T12:00:00Z
  cases:
  - name: reading is allowed
    from: shop/cart
    to: GET http://api.vendor.example.com/prices
    headers: {x-team: a}
    expect: {effect: allow, rules: [small/read]}
  - name: administration passes <&> "so"
    from: shop/cart
    to: GET http://api.vendor.example.com/admin
    expect: {effect: allow, reason: allowed-by-rule, rules: [small/read], shadow: allow}
`;

function failing(): Promise<string> {
  return temporaryDirectory({ ...SMALL_SET, "small.test.yaml": CASES });
}

describe("test", () => {
  it("passes on the shipped policies, which touch every reason a test document can", async () => {
    const { code, stdout } = await runCli(["test", "-o", "json"]);
    const report = JSON.parse(stdout);
    expect(report.cases.filter((each: { passed: boolean }) => !each.passed)).toEqual([]);
    expect(code).toBe(0);
    expect(report.passed).toBeGreaterThan(70);
    const reasons = new Set(report.cases.map((each: { actual: { reason: string } }) => each.actual.reason));
    expect([...reasons].sort()).toEqual([
      "allowed-by-rule",
      "denied-by-rule",
      "fallback-allow",
      "fallback-report",
      "foreign-trust-domain",
      "guarded-target",
      "invalid-identity",
      "invalid-target",
      "no-matching-rule",
      "rule-expired",
      "unregistered-target",
      "upgrade-not-allowed",
    ]);
  });

  it("judges by the shadow alone where a case says no more, and wants a case to say something", async () => {
    const cases = (expect: string) => CASES.replace(/expect: \{effect: allow, rules.*/, `expect: {${expect}}`);
    const judged = async (expect: string) => {
      const dir = await temporaryDirectory({ ...SMALL_SET, "small.test.yaml": cases(expect) });
      return runCli(["test", "--policies", dir, "--filter", "reading", "-o", "json"]);
    };
    expect((await judged("shadow: allow")).code).toBe(0);
    const wrong = await judged("shadow: deny");
    expect([wrong.code, JSON.parse(wrong.stdout).cases[0].differs]).toEqual([4, ["shadow"]]);
    const empty = await judged("");
    expect([empty.code, JSON.parse(empty.stdout).diagnostics[0]]).toMatchObject([3, { code: "missing-key", line: 11 }]);
  });

  it("exits 4 and prints expected against actual, with the places of the case and of the rules", async () => {
    const { code, stdout } = await runCli(["test", "--policies", await failing()]);
    expect(code).toBe(4);
    expect(stdout).toContain("small.test.yaml:12");
    expect(stdout).toMatch(/effect\s+expected allow\n\s+actual\s+deny/);
    expect(stdout).toMatch(/reason\s+expected allowed-by-rule\n\s+actual\s+denied-by-rule/);
    expect(stdout).toMatch(/small\/never\s+policies\.yaml:\d+/);
    expect(stdout).toMatch(/small\/read\s+policies\.yaml:16/);
    expect(stdout).toContain("1 case failed, 1 case passed");
  });

  it("runs only what --filter names", async () => {
    const dir = await failing();
    expect((await runCli(["test", "--policies", dir, "--filter", "READING"])).code).toBe(0);
    const none = await runCli(["test", "--policies", dir, "--filter", "nothing like it"]);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("nothing like it");
  });

  it("fails when there is nothing to run", async () => {
    expect((await runCli(["test", "--policies", await temporaryDirectory(SMALL_SET)])).code).toBe(1);
  });

  it("exits 3 on an invalid set", async () => {
    const dir = await temporaryDirectory({ ...SMALL_SET, "bad.yaml": "kind: Nonsense\n" });
    expect((await runCli(["test", "--policies", dir])).code).toBe(3);
  });
});
