import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterEach, beforeEach, expect, test } from "vitest";
import { waitUntil } from "../../src/cli/demo/process.ts";
import { createRecordedHeaders } from "../../src/server/recorded-headers.ts";
import { startServing } from "../support/serve.ts";
import { connectClient, decision, httpCheck, startAnswering } from "./harness.ts";
import { allow, createPolicyDirectory, type PolicyDirectory, ROOT } from "./policy-directory.ts";

const SCHEMA = JSON.parse(readFileSync(new URL("../../docs/audit.schema.json", import.meta.url), "utf8"));
const validate = new Ajv({ strict: false, allowUnionTypes: true }).compile(SCHEMA);

let directory = "";
let policies: PolicyDirectory;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-events-"));
  policies = createPolicyDirectory({ "root.yaml": ROOT, "shop/shop.yaml": allow("shop", "app", "stripe") });
});
afterEach(() => {
  policies.remove();
  rmSync(directory, { recursive: true, force: true });
});

interface Event {
  readonly event: string;
  readonly [field: string]: unknown;
}

test("a trail tells the life of a server: start, each revision with what it changed, refusals, end", async () => {
  const file = join(directory, "audit.jsonl");
  const server = await startServing({ "audit-to": file, policies: policies.path, "log-level": "silent" });
  const lines = (): Event[] =>
    readFileSync(file, "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  const events = (name: string) => lines().filter(({ event }) => event === name);
  const until = (name: string, count: number) =>
    waitUntil(`${name} ${count}`, () => events(name).length >= count, 20_000, server.child);

  policies.put("shop/shop.yaml", allow("shop", "app", "github"));
  policies.put("bank/bank.yaml", allow("bank", "app", "stripe"));
  await until("policies-loaded", 2);
  policies.put("root.yaml", "kind: Nonsense\n");
  await until("policies-rejected", 1);
  await server.child.stop();

  const [started] = events("started");
  expect(started).toMatchObject({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    listen: [server.address],
    audit: { mode: "batch", require: "all", sinks: ["file"], headers: [] },
  });
  const [first] = events("policies-loaded");
  expect(first).toMatchObject({ previous: null, changes: null, counts: { files: 2, rules: 1 } });
  expect(first?.files).toMatchObject([{ path: "root.yaml" }, { path: "shop/shop.yaml" }]);
  // An edit of two files may be seen as two.
  const later = events("policies-loaded").slice(1);
  const named = JSON.stringify(later.map(({ changes }) => changes));
  expect(named).toContain("rule bank/");
  expect(named).toContain("rule shop/");
  expect(later.every(({ previous }) => previous !== null)).toBe(true);
  expect(events("policies-rejected")[0]).toMatchObject({
    result: "rejected",
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    files: expect.arrayContaining([{ path: "root.yaml", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]),
  });
  const stopped = events("stopped").at(-1);
  expect(stopped).toMatchObject({ failed: 0, pending: 0 });
  const numbered = lines().filter((line) => "seq" in line);
  expect(stopped?.taken).toBe(numbered.length - 1);
  expect(stopped?.written).toBe(numbered.length - 1);
  for (const line of lines())
    expect(validate(line), `${JSON.stringify(line)} ${JSON.stringify(validate.errors)}`).toBe(true);
}, 60_000);

test("of headers only those of the allow-list are recorded, and exclusion beats inclusion", () => {
  const pairs = [
    ["user-agent", "curl"],
    ["x-team", "a"],
    ["x-team", Buffer.from([0x62, 0xff])],
    ["authorization", "secret"],
    ["x-api-key", "secret"],
    ["x-other", "secret"],
  ] as const;
  const include = ["user-agent", "x-team", "authorization", "x-api-key", "x-missing"];
  const recorded = createRecordedHeaders(include, ["*auth*", "x-api-*"]);
  expect(recorded.names).toEqual(["user-agent", "x-team", "x-missing"]);
  expect(recorded.read(pairs)).toEqual([
    ["user-agent", "curl"],
    ["x-team", "a, b%FF"],
  ]);
  expect(createRecordedHeaders(["authorization"], ["*auth*"]).read(pairs)).toEqual([]);
  expect(createRecordedHeaders([], []).read(pairs)).toBe(null);
});

test("a recorded header stands in the record, and does not become part of the decision", async () => {
  const seen: unknown[] = [];
  const engine = {
    revision: "sha256:one",
    headers: [],
    decide: ({ headers }: { readonly headers: readonly (readonly [string, unknown])[] }) => {
      seen.push(headers.map(([name]) => name));
      return decision();
    },
  };
  const server = await startAnswering(engine, { recorded: ["user-agent"] });
  const client = connectClient(server.address);
  try {
    for (const agent of ["one", "two"]) {
      await client.check(
        httpCheck({
          headers: [
            ["user-agent", agent],
            ["cookie", "secret"],
          ],
        }),
      );
    }
    expect(server.records().map(({ headers }) => headers)).toEqual([{ "user-agent": "one" }, { "user-agent": "two" }]);
    // The second came from the cache although the header differs.
    expect(server.records().map(({ cacheHit }) => cacheHit)).toEqual([false, true]);
    expect(seen).toHaveLength(1);
  } finally {
    client.close();
    await server.close();
  }
});
