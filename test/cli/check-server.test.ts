import { expect, it, onTestFinished } from "vitest";
import { createAuthority, uri } from "../../src/cli/demo/pki.ts";
import type { CheckInput, Decision } from "../../src/pdp/decision.ts";
import { createCallerCheck } from "../../src/server/caller.ts";
import { startCheckServer } from "../conformance/ways/check-server.ts";
import { writeTlsFiles } from "../server/certificates.ts";
import { runCli } from "./run-cli.ts";

const REVISION = `sha256:${"0".repeat(64)}`;

/** An engine that answers with what it was asked, so that the test sees what came over the wire. */
function echo(asked: CheckInput[]) {
  return {
    revision: REVISION,
    headers: ["x-team", "upgrade", "connection"],
    decide(input: CheckInput): Decision {
      asked.push(input);
      const allowed = input.method === "GET";
      return {
        effect: allowed ? "allow" : "deny",
        reason: allowed ? "allowed-by-rule" : "no-matching-rule",
        rules: allowed ? ["shop/small/chat", "small/read"] : [],
        shadow: "deny",
        shadowRules: [],
        validUntil: null,
        dependsOn: { method: true, path: true, contentType: true, headers: [] },
        cacheable: false,
        subject: { spiffeId: input.principal, namespace: "shop", serviceAccount: "cart" },
        target: null,
        service: null,
        note: null,
      };
    },
  };
}

it("check --server asks as Envoy does and prints what the server tells", async () => {
  const asked: CheckInput[] = [];
  const server = await startCheckServer(echo(asked));
  onTestFinished(() => server.close());
  const args = ["check", "shop/cart", "GET http://api.vendor.example.com:8080/x?y=1", "--server", server.address];
  const run = await runCli([...args, "--header", "x-team=a", "--upgrade", "websocket", "-o", "json"]);
  expect(run.stderr).toBe("");
  expect(run.code).toBe(0);
  expect(JSON.parse(run.stdout)).toMatchObject({
    schema: "sallyport.dev/check/v1",
    effect: "allow",
    reason: "allowed-by-rule",
    rules: [
      { id: "shop/small/chat", file: null },
      { id: "small/read", owner: null },
    ],
    shadow: "deny",
    subject: "spiffe://cluster.local/ns/shop/sa/cart",
    revision: REVISION,
    enforcedBy: null,
    validUntil: null,
  });
  const input = asked[0];
  expect(input).toMatchObject({ kind: "http", host: "api.vendor.example.com:8080", method: "GET", path: "/x?y=1" });
  const headers = (input?.headers ?? []).map(([name, value]) => `${name}: ${Buffer.from(value).toString("utf8")}`);
  expect(headers).toEqual(expect.arrayContaining(["x-team: a", "connection: upgrade", "upgrade: websocket"]));
});

it("check --server exits 2 on deny, and knows TLS and TCP", async () => {
  const asked: CheckInput[] = [];
  const server = await startCheckServer(echo(asked));
  onTestFinished(() => server.close());
  for (const to of [
    "POST http://api.vendor.example.com/",
    "TLS api.vendor.example.com",
    "TCP db.vendor.example.com:5432",
  ]) {
    const { code, stdout } = await runCli(["check", "shop/cart", to, "--server", server.address]);
    expect(code).toBe(2);
    expect(stdout).toContain("DENY  no-matching-rule");
  }
  expect(asked.slice(1)).toMatchObject([
    { kind: "tls", host: "api.vendor.example.com", port: "443" },
    { kind: "tcp", host: "db.vendor.example.com", port: "5432" },
  ]);
});

it("check --server fails when nobody answers, and refuses to go out in clear", async () => {
  const server = await startCheckServer(echo([]));
  await server.close();
  const gone = await runCli(["check", "shop/cart", "TLS api.vendor.example.com", "--server", server.address]);
  expect(gone.code).toBe(1);
  expect(gone.stderr).toContain("does not answer");
  const clear = await runCli(["check", "shop/cart", "TLS api.vendor.example.com", "--server", "192.0.2.1:9191"]);
  expect(clear.code).toBe(64);
  expect(clear.stderr).toContain("--ca, --cert and --key");
});

it("check --server shows certificates and looks at the server's", async () => {
  const gateway = "spiffe://cluster.local/ns/istio-egress/sa/egress";
  const pdp = "spiffe://cluster.local/ns/sallyport-system/sa/sallyport";
  const mesh = await createAuthority();
  const serverFiles = writeTlsFiles(await mesh.issue([uri(pdp)]), mesh.cert);
  const ownFiles = writeTlsFiles(await mesh.issue([uri(gateway)]), mesh.cert);
  const server = await startCheckServer(echo([]), {
    tls: { kind: "files", files: serverFiles, pollMs: 60_000 },
    callers: createCallerCheck([gateway]),
  });
  onTestFinished(async () => {
    await server.close();
    serverFiles.remove();
    ownFiles.remove();
  });
  const args = ["check", "shop/cart", "GET http://api.vendor.example.com/", "--server", server.address];
  const tls = ["--ca", ownFiles.clientCa, "--cert", ownFiles.certificate, "--key", ownFiles.key];
  const named = await runCli([...args, ...tls, "--server-id", pdp]);
  expect(named).toMatchObject({ code: 0, stderr: "" });
  expect((await runCli([...args, ...tls, "--server-id", gateway])).code).toBe(1);
  // Without --server-id the certificate would have to name the address, and it names an identity only.
  expect((await runCli([...args, ...tls])).code).toBe(1);
  expect((await runCli([...args, ...tls.slice(0, 2)])).code).toBe(64);
});
