import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readSegmentFile } from "../../src/audit/read-segment-file.ts";
import { createSealCheck } from "../../src/audit/signature.ts";
import { connectClient, httpCheck, told } from "./harness.ts";
import { allow, createPolicyDirectory, type PolicyDirectory, ROOT } from "./policy-directory.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const SOON = { timeout: 20_000 };
let own = "";
let policies: PolicyDirectory;
const children: ChildProcess[] = [];

beforeEach(() => {
  own = mkdtempSync(join(tmpdir(), "sallyport-serve-"));
  policies = createPolicyDirectory({ "root.yaml": ROOT, "shop/shop.yaml": allow("shop", "app", "stripe") });
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  policies.remove();
  rmSync(own, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  output(): string;
}

function serve(...args: string[]): Run {
  const child = spawn(process.execPath, [MAIN, "serve", ...args], { cwd: own, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  return { child, exit: once(child, "close").then(([code]) => code as number | null), output: () => output };
}

/** A server that is ready, on a socket of the test's own. */
async function serving(...args: string[]): Promise<Run & { readonly address: string; readonly audit: string }> {
  const address = `unix:${join(own, "s.sock")}`;
  const audit = join(own, "audit.jsonl");
  const run = serve("--policies", policies.path, "--listen", address, "--admin", "none", "--audit-to", audit, ...args);
  await expect.poll(run.output, SOON).toContain("policies loaded");
  return { ...run, address, audit };
}

const SHOP = httpCheck({ principal: "spiffe://cluster.local/ns/shop/sa/app" });

describe("SIGTERM", () => {
  test("ends a server without losing an answer or a record", async () => {
    const { child, exit, address, audit, output } = await serving("--drain-wait", "500ms");
    const client = connectClient(address);
    let answered = 0;
    let asking = true;
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (asking) {
          const answer = await client.check(SHOP).catch(() => null);
          if (answer === null) return;
          expect(told(answer).effect).toBe("allow");
          answered += 1;
        }
      }),
    );
    await expect.poll(() => answered, SOON).toBeGreaterThan(50);
    const before = answered;
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
    asking = false;
    await load;
    client.close();
    expect(answered, "it answers while load balancers take notice").toBeGreaterThan(before);
    const records = readFileSync(audit, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const decisions = records.filter(({ id }) => id !== undefined);
    expect(decisions.length).toBeGreaterThanOrEqual(answered);
    expect(decisions.map(({ seq }) => seq)).toEqual(decisions.map((_, index) => decisions[0].seq + index));
    expect(output()).toContain("drained");
    expect(existsSync(address.slice("unix:".length))).toBe(false);
  });

  test("does not wait for an idle connection longer than the limit", async () => {
    const { child, exit, address } = await serving("--drain-wait", "0s", "--drain-limit", "200ms");
    const client = connectClient(address);
    await client.check(SHOP);
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
    client.close();
  });
});

test("a killed server leaves a socket that the next one takes over, and a trail it goes on with", async () => {
  const first = await serving();
  const client = connectClient(first.address);
  await client.check(SHOP);
  const lines = () =>
    readFileSync(first.audit, "utf8")
      .trimEnd()
      .split("\n")
      .filter((line) => !/^\{"event":"(segment|seal|repaired)"/.test(line));
  // Its start, its policies, the decision.
  await expect.poll(() => lines().length, SOON).toBe(3);
  client.close();
  first.child.kill("SIGKILL");
  await first.exit;
  const second = await serving();
  const again = connectClient(second.address);
  expect(told(await again.check(SHOP)).effect).toBe("allow");
  again.close();
  await expect.poll(() => lines().length, SOON).toBe(6);
});

test("with a key, everything that a server recorded is signed when it has ended", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = join(own, "audit.key");
  writeFileSync(key, privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
  const { child, exit, address, audit } = await serving(
    "--audit-key",
    key,
    "--audit-mode",
    "strict",
    "--drain-wait",
    "0ms",
  );
  const client = connectClient(address);
  for (let n = 0; n < 5; n += 1) expect(told(await client.check(SHOP)).effect).toBe("allow");
  client.close();
  child.kill("SIGTERM");
  await exit;
  const check = createSealCheck(publicKey.export({ format: "pem", type: "spki" }).toString());
  const reading = await readSegmentFile(audit, check);
  expect(reading).toMatchObject({ broken: null, tornBytes: 0 });
  expect([reading?.unsealed.length, (reading?.records ?? 0) >= 5]).toEqual([0, true]);
});

describe("what ends a start", () => {
  const cases: [string, () => string[], number, RegExp][] = [
    ["an unknown flag", () => ["--polices", "x"], 64, /unknown option.*--policies/s],
    ["an unknown key in the file", () => ["--config", "no-such.yaml"], 64, /cannot be read/],
    [
      "plaintext for others",
      () => ["--policies", policies.path, "--listen", "0.0.0.0:0", "--admin", "none"],
      1,
      /needs certificates/,
    ],
    [
      "an audit key that is none",
      () => [
        "--policies",
        policies.path,
        "--audit-to",
        join(own, "a.jsonl"),
        "--audit-key",
        "package.json",
        "--admin",
        "none",
      ],
      1,
      /audit key package.json cannot be used/,
    ],
    [
      "an admin port for others",
      () => ["--policies", policies.path, "--listen", "127.0.0.1:0", "--admin", "0.0.0.0:0"],
      1,
      /loopback only/,
    ],
    ["an empty directory", () => ["--policies", own, "--listen", "127.0.0.1:0", "--admin", "none"], 3, /no policies/],
    [
      "a missing directory",
      () => ["--policies", join(own, "no"), "--listen", "127.0.0.1:0", "--admin", "none"],
      1,
      /ENOENT|no such/,
    ],
    [
      "an audit file that cannot be had",
      () => ["--policies", policies.path, "--listen", "127.0.0.1:0", "--audit-to", "/no/dir/a"],
      1,
      /\/no\/dir\/a\.lock cannot be made/,
    ],
  ];
  for (const [name, args, code, text] of cases) {
    test(name, async () => {
      const { exit, output } = serve(...args(), "--drain-wait", "0s");
      expect(await exit).toBe(code);
      expect(output()).toMatch(text);
    });
  }
});

test("--print-config prints what would be in force, as a file that could be used", async () => {
  const { exit, output } = serve(
    "--print-config",
    "--listen",
    "unix:/run/s.sock",
    "127.0.0.1:1",
    "--cache-max-size",
    "1MiB",
  );
  expect(await exit).toBe(0);
  expect(parse(output())).toMatchObject({
    listen: ["unix:/run/s.sock", "127.0.0.1:1"],
    cache: { maxSize: "1MiB" },
    audit: { to: ["stdout"] },
  });
});

test("--help teaches with examples", async () => {
  const { exit, output } = serve("--help");
  expect(await exit).toBe(0);
  for (const text of ["Examples:", "--audit-to", "SIGTERM", "docs/configuration.md"]) expect(output()).toContain(text);
});
