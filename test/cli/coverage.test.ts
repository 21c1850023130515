import { describe, expect, it } from "vitest";
import { SMALL_SET, temporaryDirectory } from "./policy-dir.ts";
import { runCli } from "./run-cli.ts";

/** Decision tests on the small set, one a line: who, what, further keys. */
function cases(...lines: readonly string[]): string {
  const head = "apiVersion: sallyport.dev/v1alpha1\nkind: DecisionTest\nmetadata: {name: small}\nspec:\n";
  const written = lines.map((line, index) => `  - {name: c${index}, ${line}}\n`);
  return `${head}  now: 2026-11-23T12:00:00Z\n  cases:\n${written.join("")}`;
}

const READS = 'from: shop/cart, to: "GET http://api.vendor.example.com/prices", headers: {x-team: a}, expect: allow';
const ALL = [
  READS,
  READS.replace("shop/cart", "till/cart").replace("allow", "deny"),
  READS.replace("GET", "PUT").replace("allow", "deny"),
  READS.replace("x-team: a", "x-team: c").replace("allow", "deny"),
  'from: shop/chat, to: "GET http://api.vendor.example.com/ws", upgrade: websocket, expect: allow',
  'from: shop/cart, to: "GET http://api.vendor.example.com/ws", upgrade: websocket, expect: deny',
  'from: shop/chat, to: "TLS api.vendor.example.com", expect: deny',
  'from: shop/cart, to: "GET http://api.vendor.example.com/admin", expect: deny',
  'from: till/cart, to: "GET http://api.vendor.example.com/admin", expect: deny',
];

async function covered(lines: readonly string[], ...args: string[]) {
  const dir = await temporaryDirectory({ ...SMALL_SET, "small.test.yaml": cases(...lines) });
  return runCli(["test", "--policies", dir, ...args]);
}

interface RuleJson {
  readonly rule: string;
  readonly cases: number;
  readonly conditions: readonly { readonly text: string; readonly cases: number }[];
}

/** `rule: condition` of what no case touches. */
async function untouched(lines: readonly string[]): Promise<string[]> {
  const { stdout } = await covered(lines, "--coverage", "-o", "json");
  return JSON.parse(stdout).coverage.byRule.flatMap(({ rule, cases: touched, conditions }: RuleJson) => [
    ...(touched === 0 ? [rule] : []),
    ...conditions.filter((each) => each.cases === 0).map(({ text }) => `${rule}: ${text}`),
  ]);
}

describe("test --coverage", () => {
  it("shows rules that no case matches, and conditions that could go unnoticed", async () => {
    const { code, stdout } = await covered([READS], "--coverage");
    expect(code).toBe(0);
    expect(stdout).toBe(`ok  1 case passed

rule         place             cases  no case touches
small/chat   policies.yaml:22  0      the rule: no case matches it
small/never  policies.yaml:26  0      the rule: no case matches it
small/read   policies.yaml:16  1      from [namespace shop]
                                      expires 2027-01-01T00:00:00Z
                                      methods [GET]
                                      header x-team [a, b]

coverage 23 %: 1 of 3 rules, 2 of 10 conditions
`);
  });

  it("takes a condition for touched when a case differs from a match by it alone", async () => {
    expect(await untouched(ALL)).toEqual(["small/read: expires 2027-01-01T00:00:00Z"]);
    const without = (index: number) => untouched(ALL.filter((_, at) => at !== index));
    expect(await without(2)).toContain("small/read: methods [GET]");
    expect(await without(4)).toContain("small/chat: upgrades [websocket]");
    expect(await without(7)).toContain("small/never");
    expect(await without(8)).toContain("small/never: from [namespace shop]");
  });

  it("fails when less is covered than asked for", async () => {
    const low = await covered([READS], "--min-coverage", "50");
    expect(low.code).toBe(4);
    expect(low.stderr).toContain("less than 50 % is covered");
    expect((await covered([READS], "--min-coverage", "23")).code).toBe(0);
    const json = await covered([READS], "--min-coverage", "50", "-o", "json");
    expect(json.code).toBe(4);
    expect(JSON.parse(json.stdout).coverage).toMatchObject({ percent: 23, minimum: 50, rules: { all: 3, touched: 1 } });
    const junit = await covered([READS], "--min-coverage", "50", "-o", "junit");
    expect(junit.code).toBe(4);
    expect(junit.stdout).toMatch(/^<\?xml[\s\S]*<\/testsuites>\n$/);
    expect(junit.stderr).toContain("coverage 23 %");
    for (const wrong of ["101", "-1", "half"]) {
      expect((await covered([READS], "--min-coverage", wrong)).code).toBe(64);
    }
  });
});
