import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CheckClient, connectClient, httpCheck, told } from "../server/harness.ts";
import { allow, createPolicyDirectory, type PolicyDirectory, ROOT } from "../server/policy-directory.ts";
import { type Serving, startServing } from "../support/serve.ts";

/** The issue is a second; a machine that does other things gets some more. */
const REFUSED_MS = 3_000;
const GOOD = allow("shop", "cart", "stripe");
const BOMB = `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 20 }, (_, n) => `${"bcdefghijklmnopqrstu"[n]}: &${"bcdefghijklmnopqrstu"[n]} [${`*${"abcdefghijklmnopqrst"[n]},`.repeat(9)}]\n`).join("")}`;

/** What is done to the file of one namespace, and the code that says what is wrong. */
const FAULTS: readonly (readonly [name: string, code: string, harm: (file: string) => void])[] = [
  ["half-written", "yaml-syntax", (file) => writeFileSync(file, GOOD.slice(0, GOOD.indexOf("serviceAccount") + 8))],
  ["of 100 MB", "file-too-large", (file) => writeFileSync(file, Buffer.alloc(100 << 20, "# a comment\n"))],
  ["an alias bomb", "yaml-alias", (file) => writeFileSync(file, BOMB)],
  ["10,000 deep", "too-deep", (file) => writeFileSync(file, `${"[".repeat(10_000)}${"]".repeat(10_000)}\n`)],
  [
    "10,000 deep in blocks",
    "too-deep",
    (file) => writeFileSync(file, Array.from({ length: 1_000 }, (_, n) => `${" ".repeat(n)}a:\n`).join("")),
  ],
  [
    "not UTF-8",
    "not-utf8",
    (file) => writeFileSync(file, Buffer.from(GOOD.replace("shop-team", "shop-t\xe9am"), "latin1")),
  ],
  ["empty", "empty-file", (file) => writeFileSync(file, "")],
  ["a link to itself", "unreadable-file", (file) => replaceByLink(file, file)],
  ["a link to nowhere", "unreadable-file", (file) => replaceByLink(file, "nowhere.yaml")],
  ["without leave to be read", "unreadable-file", (file) => chmodSync(file, 0)],
];

function replaceByLink(file: string, target: string): void {
  rmSync(file);
  symlinkSync(target, file);
}

let policies: PolicyDirectory;
let serving: Serving;
let client: CheckClient;
beforeAll(async () => {
  policies = createPolicyDirectory({
    "root.yaml": ROOT,
    "shop/cart.yaml": GOOD,
    "bank/app.yaml": allow("bank", "app", "github"),
  });
  // Nothing is forbidden to root: the server is somebody else.
  const nobody = Number(execFileSync("id", ["-u", "nobody"], { encoding: "utf8" }));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) execFileSync("chown", ["-R", `${nobody}`, policies.path]);
  const flags = { policies: policies.path, "audit-to": "none", "log-level": "silent" };
  serving = await startServing(flags, "/readyz", isRoot ? nobody : null);
  client = connectClient(serving.address);
}, 60_000);
afterAll(async () => {
  client?.close();
  await serving?.child.stop();
  policies?.remove();
});

const effectOf = async (namespace: string, account: string, host: string) => {
  const principal = `spiffe://cluster.local/ns/${namespace}/sa/${account}`;
  return told(await client.check(httpCheck({ principal, host }))).effect;
};

describe("a policy file that is", () => {
  const times: number[] = [];

  it.each(FAULTS)(
    "%s: refused as %s, and what it was before stays in force",
    async (_name, code, harm) => {
      const file = join(policies.path, "shop/cart.yaml");
      let asking = true;
      const asked = (async () => {
        while (asking) {
          const begun = performance.now();
          expect(await effectOf("shop", "cart", "api.stripe.com")).toBe("allow");
          times.push(performance.now() - begun);
          await sleep(2);
        }
      })();
      const begun = performance.now();
      harm(file);
      const name = `sallyport_policy_errors{code="${code}"}`;
      while ((await serving.metric(name)) === 0 && performance.now() - begun < REFUSED_MS * 3) await sleep(20);
      const refusedMs = performance.now() - begun;
      // Another namespace's change is in force all the same.
      policies.put("bank/app.yaml", allow("bank", "other", "github"));
      while (
        (await effectOf("bank", "other", "api.github.com")) !== "allow" &&
        performance.now() - begun < REFUSED_MS * 4
      )
        await sleep(20);
      const others = await effectOf("bank", "other", "api.github.com");
      rmSync(file, { force: true });
      policies.put("shop/cart.yaml", GOOD);
      policies.put("bank/app.yaml", allow("bank", "app", "github"));
      while ((await serving.metric("sallyport_stale_namespaces")) > 0 && performance.now() - begun < REFUSED_MS * 6)
        await sleep(20);
      asking = false;
      await asked;
      process.stderr.write(`policy file ${_name}: refused after ${refusedMs.toFixed(0)} ms\n`);
      expect(refusedMs).toBeLessThan(REFUSED_MS);
      expect(others).toBe("allow");
      expect(await serving.metric("sallyport_stale_namespaces")).toBe(0);
      expect(await serving.metric(name)).toBe(0);
    },
    60_000,
  );

  it("deleted: its rules are gone, and nobody else's", async () => {
    rmSync(join(policies.path, "shop/cart.yaml"));
    await expect.poll(() => effectOf("shop", "cart", "api.stripe.com"), { timeout: REFUSED_MS * 2 }).toBe("deny");
    expect(await effectOf("bank", "app", "api.github.com")).toBe("allow");
    policies.put("shop/cart.yaml", GOOD);
    await expect.poll(() => effectOf("shop", "cart", "api.stripe.com"), { timeout: REFUSED_MS * 2 }).toBe("allow");
  }, 30_000);

  it("in a directory that is gone, or in none at all: everything stays in force, and the reason is told", async () => {
    const away = `${policies.path}-away`;
    renameSync(policies.path, away);
    await expect.poll(() => serving.metric('sallyport_policy_errors{code="failed"}'), { timeout: 15_000 }).toBe(1);
    expect(await effectOf("shop", "cart", "api.stripe.com")).toBe("allow");
    mkdirSync(policies.path);
    await expect.poll(() => serving.metric('sallyport_policy_errors{code="empty"}'), { timeout: 15_000 }).toBe(1);
    expect(await effectOf("shop", "cart", "api.stripe.com")).toBe("allow");
    rmSync(policies.path, { recursive: true });
    renameSync(away, policies.path);
    await expect.poll(() => serving.metric('sallyport_policy_errors{code="empty"}'), { timeout: 15_000 }).toBe(0);
  }, 60_000);

  it("any of these costs Checks little: nothing is read or compiled where they are answered", () => {
    times.sort((one, other) => one - other);
    const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
    process.stderr.write(
      `policy files: ${times.length} Checks meanwhile, p50 ${at(0.5).toFixed(1)} ms, p95 ${at(0.95).toFixed(1)} ms\n`,
    );
    expect(times.length).toBeGreaterThan(200);
    // The client, which does the harm, has a share in this.
    expect(at(0.95)).toBeLessThan(100);
  });
});
