import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { createCompiler } from "../../src/server/compiler.ts";
import { keptBytes, readKept, writeKept } from "../../src/server/kept-policies.ts";
import type { LoadOutcome } from "../../src/server/load-outcome.ts";
import { createDirectorySource } from "../../src/server/policy-source.ts";
import { createReloader, type Reloader } from "../../src/server/reload.ts";
import { allow, createPolicyDirectory, type PolicyDirectory, ROOT } from "./policy-directory.ts";

type Loaded = Extract<LoadOutcome, { kind: "loaded" }>;

const canon = createCanonicaliser(readEngineModule());
let state = "";
let policies: PolicyDirectory;
let file = "";
let reloader: Reloader | null = null;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "sallyport-state-"));
  file = join(state, "policies.kept");
  policies = createPolicyDirectory({
    "root.yaml": ROOT,
    "bank/app.yaml": allow("bank", "app", "github"),
    "shop/app.yaml": allow("shop", "app", "stripe"),
  });
});
afterEach(async () => {
  await reloader?.close();
  reloader = null;
  policies.remove();
  rmSync(state, { recursive: true, force: true });
});

async function compiled(memory: Uint8Array | null = null): Promise<Loaded> {
  const outcome = await createCompiler(canon, memory).load({ kind: "directory", path: policies.path }, null);
  if (outcome.kind !== "loaded") throw new Error(JSON.stringify(outcome));
  return outcome;
}

async function kept(): Promise<Loaded> {
  const found = await readKept(state, policies.path);
  if (found.kind !== "kept") throw new Error(JSON.stringify(found));
  return found.outcome;
}

test("what is kept is what was compiled, for this user alone, and put in place as a whole", async () => {
  const outcome = await compiled();
  await writeKept(state, keptBytes(outcome));
  await writeKept(state, keptBytes(outcome));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { bundle, digest, directories, memory, isKept } = await kept();
  expect(Buffer.compare(bundle, outcome.bundle)).toBe(0);
  expect(Buffer.compare(memory, outcome.memory)).toBe(0);
  expect({ digest, directories, isKept }).toEqual({
    digest: outcome.digest,
    directories: outcome.directories,
    isKept: true,
  });
});

test("nothing is kept for other files: changed, added, dropped, renamed", async () => {
  await writeKept(state, keptBytes(await compiled()));
  const isKept = async () => (await readKept(state, policies.path)).kind;
  const text = readFileSync(join(policies.path, "shop/app.yaml"), "utf8");
  policies.put("shop/app.yaml", `${text}# a comment\n`);
  expect(await isKept()).toBe("none");
  policies.put("shop/app.yaml", text);
  expect(await isKept()).toBe("kept");
  policies.put("bank/more.yaml", allow("bank", "more", "github"));
  expect(await isKept()).toBe("none");
  policies.drop("bank/more.yaml");
  renameSync(join(policies.path, "shop/app.yaml"), join(policies.path, "shop/moved.yaml"));
  expect(await isKept()).toBe("none");
  expect((await readKept(join(state, "elsewhere"), policies.path)).kind).toBe("none");
});

/** What is done to what is kept, and the reason that is told. */
const HARM: readonly (readonly [string, RegExp, () => void])[] = [
  ["a bit turned in each of its parts", /digest|format/, () => turn(0.01)],
  ["a bit turned in the middle", /digest/, () => turn(0.5)],
  ["a bit turned at the end", /digest/, () => turn(0.999)],
  ["cut short", /digest/, () => writeFileSync(file, readFileSync(file).subarray(0, -7))],
  ["cut to nothing", /format/, () => writeFileSync(file, "")],
  ["longer", /digest/, () => writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from([0])]))],
  ["readable by others", /mode is 644/, () => chmodSync(file, 0o644)],
  ["writable by a group", /mode is 660/, () => chmodSync(file, 0o660)],
  [
    "a link to somewhere",
    /ELOOP/,
    () => {
      renameSync(file, join(state, "elsewhere"));
      symlinkSync("elsewhere", file);
    },
  ],
];

function turn(share: number): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length * share);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

test.each(HARM)("refused: %s", async (_, why, harm) => {
  await writeKept(state, keptBytes(await compiled()));
  harm();
  expect(await readKept(state, policies.path)).toMatchObject({ kind: "refused", why: expect.stringMatching(why) });
});

test("what another compiler made is not used", async () => {
  const bytes = keptBytes(await compiled());
  const { compilerDigest } = await import("../../src/server/compiler-digest.ts");
  expect(bytes.includes(compilerDigest())).toBe(true);
  const other = Buffer.from(bytes.toString("latin1").replace(compilerDigest(), "0".repeat(64)), "latin1");
  const { createHash } = await import("node:crypto");
  const start = other.indexOf("\n") + 1 + 32;
  createHash("sha256")
    .update(other.subarray(start))
    .digest()
    .copy(other, start - 32);
  await writeKept(state, other);
  expect(await readKept(state, policies.path)).toEqual({ kind: "none" });
});

/** A reloader that went on from what is kept, and all that it put into force. */
async function resumed(): Promise<Loaded[]> {
  const applied: Loaded[] = [];
  reloader = createReloader({
    source: createDirectorySource(policies.path),
    pollMs: 3_600_000,
    deadlineMs: 60_000,
    state,
    notKept: (why) => {
      throw new Error(why);
    },
    async apply(outcome) {
      if (outcome.kind === "loaded") applied.push(outcome);
    },
  });
  await reloader.resume(await readKept(state, policies.path));
  return applied;
}

test("a server that goes on from it compiles the files behind it, and then reloads as ever", async () => {
  await writeKept(state, keptBytes(await compiled()));
  const applied = await resumed();
  expect(applied).toMatchObject([{ isKept: true }]);
  await expect.poll(() => applied.length, { timeout: 30_000 }).toBe(2);
  expect(applied[1]?.isKept).toBeUndefined();
  expect(Buffer.compare(applied[1]?.bundle ?? Buffer.of(), applied[0]?.bundle ?? Buffer.of(1))).toBe(0);
  policies.put("shop/app.yaml", allow("shop", "other", "github"));
  await expect.poll(() => applied.length, { timeout: 30_000 }).toBe(3);
  const fresh = await compiled();
  expect(Buffer.compare(applied[2]?.bundle ?? Buffer.of(), fresh.bundle)).toBe(0);
  expect(applied[2]?.summary.changes?.removed.names).toEqual(["policy shop/stripe", "rule shop/stripe/use"]);
  // And that is what is kept now.
  await expect.poll(() => readKept(state, policies.path), { timeout: 30_000 }).toMatchObject({ kind: "kept" });
  expect(Buffer.compare((await kept()).bundle, fresh.bundle)).toBe(0);
});

test("a namespace that was on its last good documents is so after a start, and comes back when it is mended", async () => {
  const good = await compiled();
  policies.put("shop/app.yaml", "kind: Nonsense\n");
  const stale = await compiled(good.memory);
  expect(stale.stale).toMatchObject([{ namespace: "shop", keptLastGood: true }]);
  await writeKept(state, keptBytes(stale));
  const applied = await resumed();
  await expect.poll(() => applied.length, { timeout: 30_000 }).toBe(2);
  for (const each of applied) {
    expect(each.stale).toMatchObject([{ namespace: "shop", keptLastGood: true }]);
    expect(Buffer.compare(each.bundle, good.bundle)).toBe(0);
  }
  policies.put("bank/app.yaml", allow("bank", "other", "github"));
  await expect.poll(() => applied.length, { timeout: 30_000 }).toBe(3);
  expect(applied[2]?.stale).toMatchObject([{ namespace: "shop", keptLastGood: true }]);
  policies.put("shop/app.yaml", allow("shop", "app", "stripe"));
  await expect.poll(() => applied.length, { timeout: 30_000 }).toBe(4);
  expect(applied[3]?.stale).toEqual([]);
  expect(Buffer.compare(applied[3]?.bundle ?? Buffer.of(), (await compiled()).bundle)).toBe(0);
});
