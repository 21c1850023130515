import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../cli/policy-dir.ts";
import { REPOSITORY, runCli } from "../../cli/run-cli.ts";
import { runExample } from "../support/run-example.ts";

const EXAMPLE = join(REPOSITORY, "test/import/smokescreen/example");
const ARGS = [join(EXAMPLE, "acl.yaml"), "--roles", join(EXAMPLE, "roles.yaml")];

/** What `import smokescreen` says of an ACL. */
async function importing(acl: string, roles = "one: [{serviceAccount: roles/one}]\n", ...more: string[]) {
  const dir = await temporaryDirectory({ "acl.yaml": acl, "roles.yaml": roles });
  return runCli(["import", "smokescreen", join(dir, "acl.yaml"), "--roles", join(dir, "roles.yaml"), ...more]);
}

const RULE =
  "version: v1\nservices:\n- name: one\n  project: team\n  action: enforce\n  allowed_domains: [api.example.com]\n";

describe("import smokescreen", () => {
  it("makes of the example what its golden files say", async () => {
    const out = await runExample("smokescreen", ARGS);
    const check = (from: string, to: string) => runCli(["check", from, to, "--policies", out]);
    expect((await check("billing/worker", "TLS pastebin.com")).code).toBe(0);
    expect((await check("it/laptop-proxy", "TLS legacy.sentry.io")).code).toBe(2);
    expect((await check("nobody/here", "TLS api.stripe.com")).code).toBe(2);
  });

  it("prints the documents when no directory is named", async () => {
    const { code, stdout, stderr } = await importing(RULE);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# file: gateway\.yaml\napiVersion: /);
    expect(stdout).toContain("---\n# file: roles/one.yaml\n");
    expect(stderr).toContain("acl.yaml:3:1: narrowed any-port: ");
    const json = await importing(RULE, undefined, "--output", "json", "--port", "8443:TLS");
    const report = JSON.parse(json.stdout);
    expect(report).toMatchObject({ schema: "sallyport.dev/import/v1", source: "smokescreen", exact: false });
    expect(report.notes[0]).toMatchObject({
      code: "any-port",
      effect: "narrowed",
      file: "acl.yaml",
      line: 3,
      column: 1,
    });
    expect(report.files.find(({ path }: { path: string }) => path === "services.yaml").text).toContain("number: 8443");
  });

  it("writes over nothing", async () => {
    const dir = await temporaryDirectory({ "mine.yaml": "kind: Mine\n" });
    const { code, stderr } = await runCli(["import", "smokescreen", ...ARGS, "-o", dir]);
    expect(code).toBe(1);
    expect(stderr).toContain("is not empty");
  });

  it.each([
    [["import", "squid", "acl.yaml"], "unknown command"],
    [["import", "smokescreen", "acl.yaml", "--port", "80:HTTP", "--port", "80:TLS"], "stands twice"],
    [["import", "smokescreen", "acl.yaml", "--gateway", "egress"], "istio-egress/egress"],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await runCli(args);
    expect(stderr).toContain(message);
    expect(code).toBe(64);
  });

  it("says which file is not there", async () => {
    const { code, stderr } = await runCli(["import", "smokescreen", "no-such.yaml"]);
    expect({ code, told: stderr.includes("no-such.yaml cannot be read") }).toEqual({ code: 1, told: true });
  });

  it("tells what is wrong with the source, in both forms", async () => {
    const human = await importing("version: v2\nservices: []\n");
    expect(human.code).toBe(3);
    expect(human.stderr).toContain("acl.yaml:1:10: error[unknown-value]: `version` must be `v1`");
    const json = await importing("version: v2\nservices: []\n", undefined, "--output", "json");
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({
      error: "invalid-source",
      diagnostics: [{ file: "acl.yaml", line: 1 }],
    });
  });
});
