import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { requestHttp1 } from "../../src/cli/demo/client.ts";
import { E2E_POLICIES, eventually, useGateway } from "../support/gateway.ts";

const ROOT = ["gateway.yaml", "services.yaml", "company.yaml"];
const ITEMS = "GET /v1/items/7";
const ALLOWED = { status: 200, reasons: ["allowed-by-rule"] };
/** What the service promises of an edit. It is polled with this as the limit. */
const EDIT_LIMIT_MS = 1_000;
const LIMIT_MS = 10_000;

/** A directory as the kubelet mounts a ConfigMap: names are links through `..data`, which is swapped whole. */
function mountConfigMap(): string {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-configmap-"));
  mkdirSync(join(directory, "..v1"));
  for (const name of ROOT) {
    cpSync(join(E2E_POLICIES, name), join(directory, "..v1", name));
    symlinkSync(`..data/${name}`, join(directory, name));
  }
  symlinkSync("..v1", join(directory, "..data"));
  for (const team of ["shop", "lab"]) cpSync(join(E2E_POLICIES, team), join(directory, team), { recursive: true });
  return directory;
}

const mounted = mountConfigMap();
const gateway = useGateway({ policies: mounted });
afterAll(() => rmSync(mounted, { recursive: true, force: true }));

/** One request and the reasons of the records it leaves: one, unless no server is there to write it. */
async function ask(from: string, line: string, expectedRecords = 1) {
  const caller = await gateway.as(from);
  const send = () => requestHttp1(caller, gateway.lab.port("http", 80), line, ["host: api.example.com"]);
  const { answer, records } = await gateway.outcome(send, expectedRecords);
  return { status: answer.status, reasons: records.map(({ reason }) => reason) };
}

/** Asks until the answer is this one. */
async function becomes(from: string, line: string, status: number, reason: string, limitMs = LIMIT_MS): Promise<void> {
  const attempt = () => ask(from, line);
  const last = await eventually(attempt, ({ reasons }) => reasons[0] === reason, limitMs);
  expect(last).toEqual({ status, reasons: [reason] });
}

/** Changes a policy file; the returned function puts the old text back. */
async function edit(path: string, from: string, to: string): Promise<() => Promise<void>> {
  const file = join(gateway.lab.policies, path);
  const text = await readFile(file, "utf8");
  expect(text).toContain(from);
  await writeFile(file, text.replace(from, to));
  return () => writeFile(file, text);
}

describe("policies that change under a running gateway", () => {
  it("an edit decides the next request within a second, and its undoing too", async () => {
    expect(await ask("shop/checkout", ITEMS)).toEqual(ALLOWED);
    const undo = await edit("shop/shop.yaml", "methods: [GET, POST]", "methods: [POST]");
    await becomes("shop/checkout", ITEMS, 403, "no-matching-rule", EDIT_LIMIT_MS);
    await undo();
    await becomes("shop/checkout", ITEMS, 200, "allowed-by-rule", EDIT_LIMIT_MS);
  });

  it("one namespace's broken policy delays no other's revocation and keeps its own last good documents", async () => {
    expect(await ask("lab/worker", "GET /x")).toEqual(ALLOWED);
    const repair = await edit("shop/shop.yaml", "owner: shop@example.com", "owner: [half a docu");
    const restore = await edit("lab/lab.yaml", "methods: [GET]", "methods: [HEAD]");
    try {
      await becomes("lab/worker", "GET /x", 403, "no-matching-rule");
      expect(await ask("shop/checkout", ITEMS)).toEqual(ALLOWED);
      const ready = await fetch(`http://127.0.0.1:${gateway.lab.adminPort}/readyz`);
      expect(await ready.json()).toMatchObject({ ready: true, staleNamespaces: ["shop"] });
    } finally {
      await repair();
      await restore();
    }
    await becomes("lab/worker", "GET /x", 200, "allowed-by-rule");
  });

  it("a namespace that was never valid has its workloads refused: namespace-invalid", async () => {
    const directory = join(gateway.lab.policies, "fresh");
    await mkdir(directory);
    await writeFile(join(directory, "fresh.yaml"), "kind: EgressPolicy\n");
    await becomes("fresh/app", ITEMS, 403, "namespace-invalid");
    expect(await ask("shop/checkout", ITEMS)).toEqual(ALLOWED);
    await rm(directory, { recursive: true });
    await becomes("fresh/app", ITEMS, 403, "no-matching-rule");
  });

  it("a ConfigMap's ..data swap takes effect whole", async () => {
    expect((await ask("shop/broad", "GET /v1/secret/key")).reasons).toEqual(["denied-by-rule"]);
    const { policies } = gateway.lab;
    await mkdir(join(policies, "..v2"));
    for (const name of ROOT) {
      const text = await readFile(join(policies, name), "utf8");
      await writeFile(join(policies, "..v2", name), text.replace("/v1/secret/", "/v1/secrets/"));
    }
    await symlink("..v2", join(policies, "..data_tmp"));
    await rename(join(policies, "..data_tmp"), join(policies, "..data"));
    await rm(join(policies, "..v1"), { recursive: true });
    await becomes("shop/broad", "GET /v1/secret/key", 200, "allowed-by-rule");
    expect((await ask("shop/broad", "GET /v1/secrets/key")).reasons).toEqual(["denied-by-rule"]);
  });
});

describe("a server that goes and comes back", () => {
  it("killed, nothing passes and nothing is recorded; back again, it decides", async () => {
    expect(await ask("shop/checkout", ITEMS)).toEqual(ALLOWED);
    await gateway.lab.server.stop("SIGKILL");
    const seen = gateway.lab.upstream.seen.length;
    expect(await ask("shop/checkout", ITEMS, 0)).toEqual({ status: 403, reasons: [] });
    expect(gateway.lab.upstream.seen).toHaveLength(seen);
    await gateway.lab.startServer();
    expect(await ask("shop/checkout", ITEMS)).toEqual(ALLOWED);
  });

  it("without policies it refuses as a failure, no-policy, until they come", async () => {
    await gateway.lab.server.stop();
    const repair = await edit("..data/gateway.yaml", "kind: EgressGateway", "kind: EgressGate");
    await gateway.lab.startServer("alive");
    await becomes("shop/checkout", ITEMS, 503, "no-policy");
    await repair();
    await becomes("shop/checkout", ITEMS, 200, "allowed-by-rule");
  });

  it("asked to end, it ends with 0; from then on nothing passes", async () => {
    expect(await ask("shop/checkout", ITEMS)).toEqual(ALLOWED);
    await gateway.lab.server.stop("SIGTERM");
    expect(gateway.lab.server.process.exitCode).toBe(0);
    expect(await ask("shop/checkout", ITEMS, 0)).toEqual({ status: 403, reasons: [] });
  });
});
