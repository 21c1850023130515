import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeTrail } from "../replay/trail.ts";
import { SMALL_SET, temporaryDirectory } from "./policy-dir.ts";
import { REPOSITORY, runCli } from "./run-cli.ts";

const OLD = "test/cli/change-policies/old";
const NEW = "test/cli/change-policies/new";
const AT = ["--at", "2026-11-23T12:00:00Z"];

function diff(old: string, now: string, ...args: string[]) {
  return runCli(["diff", old, now, ...AT, ...args]);
}

interface ClassJson {
  readonly change: string;
  readonly was: { readonly effect: string; readonly shadow: string };
  readonly now: { readonly effect: string; readonly shadow: string };
  readonly check: {
    readonly from: string;
    readonly to: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly upgrade: string | null;
    readonly now: string;
  };
}

describe("diff", () => {
  it("gives a request of each class that `check` decides so under both", async () => {
    const { stdout } = await diff(OLD, NEW, "-o", "json");
    const classes: readonly ClassJson[] = JSON.parse(stdout).classes;
    expect(classes.length).toBeGreaterThan(5);
    for (const { check, was, now } of classes) {
      const headers = Object.entries(check.headers).flatMap(([name, value]) => ["--header", `${name}=${value}`]);
      const upgrade = check.upgrade === null ? [] : ["--upgrade", check.upgrade];
      const rest = [check.from, check.to, ...headers, ...upgrade, "--now", check.now, "-o", "json"];
      const ask = async (policies: string) =>
        JSON.parse((await runCli(["check", "--policies", policies, ...rest])).stdout);
      expect(await ask(OLD)).toMatchObject({ effect: was.effect, shadow: was.shadow });
      expect(await ask(NEW)).toMatchObject({ effect: now.effect, shadow: now.shadow });
    }
  });

  it("counts requests on record that change", async () => {
    const log = await writeTrail([
      [
        ["app", "HEAD http://api.vendor.example.com/v1/prices"],
        ["chat", "GET http://eu.cdn.example.com/smile.png"],
      ],
    ]);
    const { stdout } = await diff(OLD, NEW, "--replay", log, "-o", "json");
    expect(JSON.parse(stdout).replay).toEqual({
      ...{ records: 2, same: 0, undecidable: 0, failed: 0 },
      changed: { widening: 1, narrowing: 1, "shadow-widening": 0, "shadow-narrowing": 0 },
    });
    const human = await diff(OLD, NEW, "--replay", log);
    expect(human.stdout).toContain(
      "of 2 requests on record 1 would be allowed that were denied, 1 denied that were allowed",
    );
    expect((await diff(OLD, NEW, "--replay", "no-such-file.jsonl")).code).toBe(1);
  });

  it("proves that nothing changes, and that nothing widens", async () => {
    const same = await diff(OLD, OLD, "--fail-on", "change");
    expect(same.code).toBe(0);
    expect(same.stdout).toContain("no change, for every request: 5 of 5 hosts the same by their rules");
    const gateway = await readFile(join(REPOSITORY, OLD, "gateway.yaml"), "utf8");
    const shop = await readFile(join(REPOSITORY, OLD, "shop/shop.yaml"), "utf8");
    const narrower = await temporaryDirectory({
      "gateway.yaml": gateway,
      "shop/shop.yaml": shop.replace("from: [{group: shop-front}]", "from: [{serviceAccount: shop/web}]"),
    });
    const narrowed = await diff(OLD, narrower, "--fail-on", "widening");
    expect(narrowed.code).toBe(0);
    expect(narrowed.stdout).toContain("no widening, for every request");
    expect((await diff(OLD, narrower, "--fail-on", "change")).code).toBe(5);
    expect((await diff(narrower, OLD, "--fail-on", "widening")).code).toBe(5);
  });

  it("sees no change where rules only have other names, other places or are split", async () => {
    const policies = SMALL_SET["policies.yaml"] ?? "";
    const split = policies
      .replace("- name: read", "- name: renamed")
      .replace("methods: [GET], headers: {x-team: [a, b]}", "methods: [GET], headers: {x-team: [a]}")
      .replace(
        "  - name: chat",
        `  - name: second
    from: [{namespace: shop}]
    to: [{service: vendor, ports: [80], methods: [GET], headers: {x-team: [b]}}]
    expires: 2027-01-01T00:00:00Z
    ticket: SEC-1
    reason: prices
  - name: chat`,
      );
    const [one, other] = [
      await temporaryDirectory(SMALL_SET),
      await temporaryDirectory({ ...SMALL_SET, "policies.yaml": split }),
    ];
    const { stdout } = await diff(one, other, "-o", "json");
    expect(JSON.parse(stdout)).toMatchObject({ noWidening: true, classes: [] });
  });

  it("tells of a fallback that opens, for everyone, as one class", async () => {
    const open = await temporaryDirectory({
      ...SMALL_SET,
      "gateway.yaml": (SMALL_SET["gateway.yaml"] ?? "").replace("fallback: deny", "fallback: report"),
    });
    const { stdout } = await diff(await temporaryDirectory(SMALL_SET), open, "-o", "json");
    const { classes, counts } = JSON.parse(stdout);
    expect(counts).toMatchObject({ narrowing: 0, "shadow-widening": 0, "shadow-narrowing": 0 });
    expect(classes).toContainEqual(
      expect.objectContaining({ change: "widening", kind: "tls", from: { of: ["everyone"], except: [] } }),
    );
  });

  it("takes bundles, with the same outcome but for places in files", async () => {
    const dir = await temporaryDirectory({});
    const bundles = await Promise.all(
      [OLD, NEW].map(async (set, index) => {
        const file = join(dir, `${index}.bundle`);
        await runCli(["compile", "--policies", set, "--out", file]);
        return file;
      }),
    );
    const [old = "", now = ""] = bundles;
    const plain = (text: string) =>
      JSON.parse(text, (key, value) => (key === "place" || key === "name" ? undefined : value));
    const { stdout } = await diff(old, now, "-o", "json");
    expect(plain(stdout)).toEqual(plain((await diff(OLD, NEW, "-o", "json")).stdout));
  });

  it("exits 1 on what cannot be read, 3 on invalid policies, 64 on wrong options", async () => {
    expect((await diff(OLD, "nowhere")).code).toBe(1);
    const bad = await temporaryDirectory({ ...SMALL_SET, "bad.yaml": "kind: Nonsense\n" });
    expect((await diff(bad, NEW)).code).toBe(3);
    const { stdout } = await diff(OLD, bad, "-o", "json");
    expect(JSON.parse(stdout).error).toBe("invalid-policy");
    for (const args of [
      ["--fail-on", "narrowing"],
      ["-o", "sarif"],
      ["--at", "noon"],
    ]) {
      expect((await diff(OLD, NEW, ...args)).code).toBe(64);
    }
    expect((await runCli(["diff", OLD])).code).toBe(64);
  });
});
