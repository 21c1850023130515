import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SMALL_SET, temporaryDirectory } from "./policy-dir.ts";
import { REPOSITORY, run } from "./run-cli.ts";

interface ReadAnnotation {
  readonly level: string;
  readonly message: string;
  readonly [property: string]: string;
}

/** Reads workflow commands back as the runner does: percent signs are the last to be restored. */
function annotations(stdout: string): ReadAnnotation[] {
  const data = (text: string) => text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
  const property = (text: string) => data(text.replaceAll("%3A", ":").replaceAll("%2C", ","));
  return stdout.split("\n").flatMap((line) => {
    const [, level, properties = "", message = ""] = /^::(\w+) (.*?)::(.*)$/.exec(line) ?? [];
    if (level === undefined) return [];
    const pairs = properties.split(",").map((each) => {
      const [name = "", value = ""] = each.split("=", 2);
      return [name, property(each.slice(name.length + 1) || value)] as const;
    });
    return [{ level, message: data(message), ...Object.fromEntries(pairs) }];
  });
}

/** Runs from the root of a repository whose policies are in `egress policies`. */
async function annotated(command: string, files: Readonly<Record<string, string>>, ...args: string[]) {
  const named = Object.fromEntries(Object.entries(files).map(([path, text]) => [`egress, policies/${path}`, text]));
  const root = await temporaryDirectory(named);
  const cli = [join(REPOSITORY, "src/cli/main.ts"), command, "--policies", "egress, policies", "-o", "github", ...args];
  const done = await run(process.execPath, cli, root, { GITHUB_WORKSPACE: root });
  return { ...done, found: annotations(done.stdout), root };
}

const CASES = `apiVersion: sallyport.dev/v1alpha1
kind: DecisionTest
metadata: {name: small}
spec:
  now: 2026-11-23T12:00:00Z
  cases:
  - name: "100 %, ::error file=x::not ours, 50%25"
    from: shop/cart
    to: GET http://api.vendor.example.com/admin
    expect: allow
  - name: reading is allowed
    from: shop/cart
    to: GET http://api.vendor.example.com/prices
    headers: {x-team: a}
    expect: allow
`;

describe("-o github", () => {
  it("validate annotates each diagnostic at its line", async () => {
    const broken = "apiVersion: sallyport.dev/v1alpha1\nkind: EgressPolcy\n";
    const { code, found, stdout } = await annotated("validate", { ...SMALL_SET, "shop/bad.yaml": broken });
    expect(code).toBe(3);
    expect(found).toEqual([
      {
        level: "error",
        file: "egress, policies/shop/bad.yaml",
        line: "2",
        col: "7",
        title: "unknown-kind",
        message: expect.stringMatching(/^`EgressPolcy` is not a kind of .*\nwrite EgressPolicy$/),
      },
    ]);
    expect(stdout).toContain("invalid  egress, policies: 1 error");
    expect(stdout.split("\n").filter((line) => line.startsWith("::"))).toHaveLength(1);
  });

  it("test annotates each failure, and no text of a policy can be a command", async () => {
    const { code, found, stdout } = await annotated("test", { ...SMALL_SET, "small.test.yaml": CASES });
    expect(code).toBe(4);
    expect(found).toMatchObject([
      {
        level: "error",
        file: "egress, policies/small.test.yaml",
        line: "7",
        title: "small/100 %, ::error file=x::not ours, 50%25 is not as expected",
      },
    ]);
    expect(found[0]?.message).toContain("effect  expected allow\n        actual   deny");
    expect(stdout.split("\n").filter((line) => /::/.test(line))).toHaveLength(1);
    expect(stdout).toContain("1 case failed, 1 case passed");
  });

  it("test --coverage annotates rules", async () => {
    const { code, found } = await annotated(
      "test",
      { ...SMALL_SET, "a.test.yaml": CASES },
      "--filter",
      "reading",
      "--coverage",
    );
    expect(code).toBe(0);
    expect(found.map(({ level, title, message }) => [level, title, message])).toEqual([
      ["notice", "coverage of small/chat", "no case matches this rule"],
      ["notice", "coverage of small/never", "no case matches this rule"],
      ["notice", "coverage of small/read", expect.stringContaining("no case touches\nfrom [namespace shop]\n")],
    ]);
  });

  it("lint annotates findings by their severity", async () => {
    const { code, found, stdout } = await annotated("lint", SMALL_SET, "--now", "2027-12-15T00:00:00Z");
    expect(code).toBe(4);
    expect(found.map(({ level, title, line }) => [level, title, line])).toEqual([
      ["warning", "expired-rule", "16"],
      ["notice", "allow-without-ticket", "22"],
    ]);
    expect(stdout).toContain("1 warning, 1 note");
  });

  it("a command that needs valid policies annotates why it cannot go on", async () => {
    for (const command of ["test", "lint"]) {
      const { code, found } = await annotated(command, { ...SMALL_SET, "bad.yaml": "kind: Nonsense\n" });
      expect(code).toBe(3);
      expect(found).toMatchObject([{ level: "error", file: "egress, policies/bad.yaml", line: "1" }]);
    }
  });

  it("names files from the root of the repository, wherever it is run, as sarif and junit do", async () => {
    const { root } = await annotated("validate", {
      ...SMALL_SET,
      "bad.yaml": "kind: Nonsense\n",
      "small.test.yaml": CASES,
    });
    const there = join(root, "egress, policies");
    const inside = async (command: string, format: string) => {
      const args = [join(REPOSITORY, "src/cli/main.ts"), command, "--policies", ".", "-o", format];
      return (await run(process.execPath, args, there, { GITHUB_WORKSPACE: root })).stdout;
    };
    expect(annotations(await inside("validate", "github"))).toMatchObject([{ file: "egress, policies/bad.yaml" }]);
    expect(await inside("validate", "sarif")).toContain('"uri": "egress,%20policies/bad.yaml"');
    await rm(join(there, "bad.yaml"));
    expect(await inside("test", "junit")).toContain(">egress, policies/small.test.yaml:7\n");
  });
});
