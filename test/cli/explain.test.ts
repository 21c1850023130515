import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SMALL_SET, temporaryDirectory } from "./policy-dir.ts";
import { REPOSITORY, runCli } from "./run-cli.ts";

const POLICIES = join(REPOSITORY, "test/cli/explain-policies");
const NOW = ["--now", "2026-11-23T12:00:00Z"];
const VENDOR = "http://api.vendor.example.com";

function explain(...args: string[]) {
  return runCli(["explain", "--policies", POLICIES, ...NOW, ...args]);
}

function golden(name: string): string {
  return join(REPOSITORY, "test/cli/golden/explain", name);
}

/** Name of the golden file, who asks for what, further options, exit code. */
const WALKS: readonly (readonly [string, string, string, readonly string[], number])[] = [
  ["expired-and-method", "shop/cart", `PUT ${VENDOR}/prices/7`, [], 2],
  ["allowed", "shop/cart", `POST ${VENDOR}/orders`, [], 0],
  ["denied-over-allow", "shop/cart", `POST ${VENDOR}/orders`, ["--header", "x-debug=1"], 2],
  ["in-doubt", "shop/cart", `GET ${VENDOR}/admin/../x`, [], 2],
  ["report-mode", "shop/search", `GET ${VENDOR}/reviews/1`, [], 2],
  ["group-fallback", "shop/trial", `GET ${VENDOR}/prices/7`, [], 0],
  ["other-upgrade", "shop/cart", `GET ${VENDOR}/stream`, ["--upgrade", "h2c"], 2],
  ["port-elsewhere", "shop/cart", `GET ${VENDOR}:8080/prices/7`, [], 2],
  ["wider-than-owner", "shop/cart", "GET http://img.cdn.vendor.example.com/1", [], 2],
  ["opaque", "shop/cart", "TLS api.vendor.example.com", [], 2],
  ["guarded", "shop/cart", "GET http://169.254.169.254/latest", [], 2],
  ["stranger", "spiffe://elsewhere.example/ns/shop/sa/cart", `GET ${VENDOR}/prices/7`, [], 2],
  ["partner", "spiffe://partner.example/batch", `GET ${VENDOR}/prices/7`, [], 2],
  ["no-target", "shop/cart", "GET http://127.1/", [], 2],
  ["connect", "shop/cart", `CONNECT ${VENDOR}/`, [], 2],
];

describe("explain", () => {
  it.each(WALKS)("%s", async (name, from, to, options, exit) => {
    const { code, stdout, stderr } = await explain(from, to, ...options);
    expect({ code, stderr }).toEqual({ code: exit, stderr: "" });
    await expect(stdout).toMatchFileSnapshot(golden(`${name}.txt`));
  });

  it.each([
    ["when-false", "shop/cart", `GET ${VENDOR}/x`, ["--header", "x-ticket=none"], 2],
    ["when-true", "shop/cart", `GET ${VENDOR}/x`, ["--header", "x-ticket=SEC-1"], 0],
    ["when-in-doubt", "shop/batch", `POST ${VENDOR}/x`, ["--header", "x-ticket=SEC-1,SEC-2"], 2],
    ["when-unseen", "shop/cart", "TLS api.vendor.example.com", [], 2],
  ])("tells what an expression came to: %s", async (name, from, to, options, exit) => {
    const policies = join(REPOSITORY, "test/cli/explain-when-policies");
    const { code, stdout, stderr } = await runCli(["explain", "--policies", policies, ...NOW, from, to, ...options]);
    expect({ code, stderr }).toEqual({ code: exit, stderr: "" });
    await expect(stdout).toMatchFileSnapshot(golden(`${name}.txt`));
  });

  it("prints a Mermaid chart", async () => {
    const { code, stdout } = await explain("shop/cart", `PUT ${VENDOR}/prices/"7;#<b>`, "-o", "mermaid");
    expect(code).toBe(2);
    await expect(stdout).toMatchFileSnapshot(golden("chart.mmd"));
    // Nothing that means something to Mermaid stands in a label.
    for (const [, label = ""] of stdout.matchAll(/"([^"]*)"/g))
      expect(label.replaceAll("<br/>", "")).not.toMatch(/[<>`[\]{}|]/);
  });

  it("prints a stable JSON document that holds what check says", async () => {
    const request = ["shop/cart", `PUT ${VENDOR}/prices/7`];
    const { code, stdout } = await explain(...request, "-o", "json", "--rules", "0");
    expect(code).toBe(2);
    const { schema, now, steps, rules, omitted, ...rest } = JSON.parse(stdout);
    await expect(`${JSON.stringify({ schema, now, steps, rules, omitted }, null, 2)}\n`).toMatchFileSnapshot(
      golden("walk.json"),
    );
    const check = await runCli(["check", "--policies", POLICIES, ...NOW, ...request, "-o", "json"]);
    const { schema: _, rules: deciding, ...checked } = JSON.parse(check.stdout);
    expect(rest).toEqual(checked);
    expect(rules.filter((each: { decides: boolean }) => each.decides).map((each: { id: string }) => each.id)).toEqual(
      deciding.map((each: { id: string }) => each.id),
    );
  });

  it("tells of as many rules as asked for", async () => {
    const request = ["shop/cart", `PUT ${VENDOR}/prices/7`, "-o", "json"];
    const told = async (...options: string[]) => {
      const { rules, omitted } = JSON.parse((await explain(...request, ...options)).stdout);
      return [rules.length, omitted];
    };
    expect(await told("--rules", "0")).toEqual([7, 0]);
    expect(await told("--rules", "2")).toEqual([2, 5]);
  });

  it.each([
    ["AllowAny", "under AllowAny everything leaves"],
    ["RegistryOnly", "under RegistryOnly it leaves"],
  ])("says what the mesh enforces under %s", async (model, sentence) => {
    const shop = await readFile(join(POLICIES, "shop/shop.yaml"), "utf8");
    const gateway = (await readFile(join(POLICIES, "gateway.yaml"), "utf8")).replace(
      "fallback: deny",
      `securityModel: ${model}`,
    );
    const dir = await temporaryDirectory({ "gateway.yaml": gateway, "shop/shop.yaml": shop });
    const { stdout } = await runCli(["explain", "--policies", dir, ...NOW, "shop/cart", `PUT ${VENDOR}/prices/7`]);
    expect(stdout).toContain(sentence);
  });

  it.each([
    [["shop/cart", "not a request"]],
    [["shop/cart", `GET ${VENDOR}/`, "--rules", "few"]],
    [["shop/cart", `GET ${VENDOR}/`, "--output", "svg"]],
  ])("exits 64 on %j", async (args) => {
    const { code, stdout, stderr } = await runCli(["explain", "--policies", POLICIES, ...args]);
    expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
    expect(stderr).not.toBe("");
  });

  it("exits 3 when the policies are invalid, 1 when there are none to read", async () => {
    const dir = await temporaryDirectory({ ...SMALL_SET, "bad.yaml": "kind: Nonsense\n" });
    const invalid = await runCli(["explain", "--policies", dir, "shop/cart", `GET ${VENDOR}/`]);
    expect(invalid.code).toBe(3);
    expect(invalid.stderr).toContain("bad.yaml:1");
    const absent = await runCli(["explain", "--policies", "/nonexistent", "shop/cart", `GET ${VENDOR}/`]);
    expect(absent.code).toBe(1);
    expect(absent.stderr).toContain("--policies");
  });
});
