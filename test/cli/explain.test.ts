import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "./policy-dir.ts";
import { REPOSITORY, runCli } from "./run-cli.ts";

const POLICIES = join(REPOSITORY, "test/cli/explain-policies");
const NOW = ["--now", "2026-11-23T12:00:00Z"];
const VENDOR = "http://api.vendor.example.com";

function explain(...args: string[]) {
  return runCli(["explain", "--policies", POLICIES, ...NOW, ...args]);
}

describe("explain", () => {
  it("prints a chart that means to Mermaid what it should", async () => {
    const { code, stdout } = await explain("shop/cart", `PUT ${VENDOR}/prices/"7;#<b>`, "-o", "mermaid");
    expect(code).toBe(2);
    // Nothing that means something to Mermaid stands in a label.
    for (const [, label = ""] of stdout.matchAll(/"([^"]*)"/g))
      expect(label.replaceAll("<br/>", "")).not.toMatch(/[<>`[\]{}|]/);
  });

  it("prints a JSON document that holds what check says", async () => {
    const request = ["shop/cart", `PUT ${VENDOR}/prices/7`];
    const { code, stdout } = await explain(...request, "-o", "json", "--rules", "0");
    expect(code).toBe(2);
    const { schema: _schema, now: _now, steps: _steps, rules, omitted: _omitted, ...rest } = JSON.parse(stdout);
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
});
