import { afterEach, expect, test } from "vitest";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { createCompileThread } from "../../src/server/compile-thread.ts";
import { createCompiler } from "../../src/server/compiler.ts";
import type { LoadOutcome } from "../../src/server/load-outcome.ts";
import type { PolicyInput } from "../../src/server/policy-source.ts";
import { allow, createPolicyDirectory, ROOT } from "./policy-directory.ts";

const module = readEngineModule();
const canon = createCanonicaliser(module);
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

function directory(files: Record<string, string>) {
  const created = createPolicyDirectory(files);
  opened.push(created.remove);
  return created;
}

function at(path: string): PolicyInput {
  return { kind: "directory", path };
}

type Loaded = Extract<LoadOutcome, { kind: "loaded" }>;

function requireLoaded(outcome: LoadOutcome): Loaded {
  if (outcome.kind !== "loaded") throw new Error(`${outcome.kind}: ${JSON.stringify(outcome)}`);
  return outcome;
}

test("the thread makes the bytes that are made here", async () => {
  const { path } = directory({ "root.yaml": ROOT, "shop/shop.yaml": allow("shop", "app", "stripe") });
  const thread = createCompileThread({ deadlineMs: 60_000, state: null, notKept() {} });
  opened.push(thread.close);
  const there = requireLoaded(await thread.load(at(path), null));
  const here = requireLoaded(await createCompiler(canon, null).load(at(path), null));
  expect(Buffer.compare(there.bundle, here.bundle)).toBe(0);
  expect(createEngine(module, there.bundle).revision).toBe(createEngine(module, here.bundle).revision);
  expect(await thread.load(at(path), there.digest)).toMatchObject({ kind: "unchanged" });
});

test("a compiler after another goes on from its memory: last good documents outlive a thread", async () => {
  const policies = directory({ "root.yaml": ROOT, "shop/shop.yaml": allow("shop", "app", "stripe") });
  const before = requireLoaded(await createCompiler(canon, null).load(at(policies.path), null));
  policies.put("shop/shop.yaml", "kind: Nonsense\n");
  const knowing = requireLoaded(await createCompiler(canon, before.memory).load(at(policies.path), before.digest));
  expect(knowing.stale).toMatchObject([{ namespace: "shop", keptLastGood: true }]);
  expect(Buffer.compare(knowing.bundle, before.bundle)).toBe(0);
  const ignorant = requireLoaded(await createCompiler(canon, null).load(at(policies.path), null));
  expect(ignorant.stale).toMatchObject([{ namespace: "shop", keptLastGood: false }]);
});

test("what is wrong is said, not thrown", async () => {
  const compiler = createCompiler(canon, null);
  expect(await compiler.load(at("/no/such/directory"), null)).toMatchObject({ kind: "failed" });
  expect(await compiler.load(at(directory({}).path), null)).toMatchObject({ kind: "empty" });
  const rejected = await compiler.load(at(directory({ "a.yaml": "x: [" }).path), null);
  expect(rejected).toMatchObject({ kind: "rejected", diagnostics: [{ severity: "error" }] });
});

test("moving a file without changing it is a change", async () => {
  const policies = directory({ "root.yaml": ROOT, "a.yaml": allow("shop", "app", "stripe") });
  const compiler = createCompiler(canon, null);
  const before = requireLoaded(await compiler.load(at(policies.path), null));
  policies.drop("a.yaml");
  policies.put("b.yaml", allow("shop", "app", "stripe"));
  expect((await compiler.load(at(policies.path), before.digest)).kind).toBe("loaded");
});
