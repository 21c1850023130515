import { connect } from "node:tls";
import { describe, expect, it } from "vitest";
import { parseAnswer, requestTlsInTls, sendBytes } from "../../src/cli/demo/client.ts";
import { useGateway } from "../support/gateway.ts";

const gateway = useGateway();
const DATABASE = "tcp-5432.db.example.com";

/** Application TLS to `sni` inside the workload's mTLS. */
async function applicationTls(who: string, sni: string) {
  const { lab } = gateway;
  const inner = { servername: sni, ca: lab.authorities.outside.cert };
  return requestTlsInTls(await gateway.as(who), lab.port("tls", 443), sni, inner);
}

/** What comes back on bytes inside the workload's mTLS. */
async function bytes(who: string, sni: string | null, until = "select 1"): Promise<string> {
  const ready = (text: string) => text.includes(until);
  const port = sni === DATABASE ? gateway.lab.port("tcp", 5432) : gateway.lab.port("tls", 443);
  return sendBytes(await gateway.as(who), port, "select 1\n", sni, ready);
}

describe("application TLS inside mTLS, by SNI", () => {
  const allowed = [
    { name: "a host", sni: "www.example.com" },
    { name: "a host under a wildcard", sni: "a.wild.example.com" },
    { name: "a host in another case", sni: "WWW.Example.Com" },
  ];
  it.each(allowed)("$name: passes, allowed-by-rule", async ({ sni }) => {
    const { answer, records } = await gateway.outcome(() => applicationTls("shop/checkout", sni), 1);
    expect(records.map(({ reason }) => reason)).toEqual(["allowed-by-rule"]);
    expect(records[0]?.target).toMatchObject({ host: sni.toLowerCase(), port: 443, protocol: "tls", method: null });
    expect(answer.status).toBe(200);
  });

  const refused = [
    { name: "another workload", who: "shop/stranger", sni: "www.example.com", reason: "no-matching-rule" },
    {
      name: "a host that only its HTTP port allows",
      who: "shop/broad",
      sni: "api.example.com",
      reason: "no-matching-rule",
    },
    {
      name: "a rule with paths says nothing of TLS",
      who: "shop/checkout",
      sni: "api.example.com",
      reason: "no-matching-rule",
    },
    { name: "a workload denied everything", who: "shop/sick", sni: "www.example.com", reason: "denied-by-rule" },
    {
      name: "a name that nobody registered",
      who: "shop/checkout",
      sni: "evil.example.org",
      reason: "unregistered-target",
    },
    { name: "a name without TLS port", who: "shop/talker", sni: "chat.example.com", reason: "unregistered-target" },
    {
      name: "a name of the cluster",
      who: "shop/checkout",
      sni: "vault.security.svc.cluster.local",
      reason: "guarded-target",
    },
    { name: "localhost", who: "shop/checkout", sni: "localhost", reason: "guarded-target" },
    { name: "a metadata name", who: "shop/checkout", sni: "metadata.google.internal", reason: "guarded-target" },
    { name: "the apex of a wildcard", who: "shop/checkout", sni: "wild.example.com", reason: "unregistered-target" },
  ];
  it.each(refused)("$name: closed before anything is dialled, $reason", async ({ who, sni, reason }) => {
    const before = { ...gateway.lab.upstream.connections };
    const { answer, records } = await gateway.outcome(() => applicationTls(who, sni), 1);
    expect(records.map((record) => [record.effect, record.reason])).toEqual([["deny", reason]]);
    expect(answer.status).toBe(null);
    expect(gateway.lab.upstream.connections).toEqual(before);
  });

  it("a connection without SNI has no target: closed, invalid-target", async () => {
    const before = { ...gateway.lab.upstream.connections };
    const { answer, records } = await gateway.outcome(async () => parseAnswer(await bytes("shop/checkout", null)), 1);
    expect(records.map(({ reason }) => reason)).toEqual(["invalid-target"]);
    expect(answer.status).toBe(null);
    expect(gateway.lab.upstream.connections).toEqual(before);
  });
});

describe("TCP, by the host that its chain names", () => {
  it("an allowed workload reaches the server, allowed-by-rule", async () => {
    let text = "";
    const talk = async () => {
      text = await bytes("shop/ledger", DATABASE);
      return parseAnswer(text);
    };
    const { records } = await gateway.outcome(talk, 1);
    expect(text).toBe("BANNER of a server that speaks first\nselect 1\n");
    expect(records.map(({ reason }) => reason)).toEqual(["allowed-by-rule"]);
    expect(records[0]?.target).toMatchObject({ host: "db.example.com", port: 5432, protocol: "tcp" });
  });

  it("a refused workload gets no byte of the banner and nothing is dialled, no-matching-rule", async () => {
    const before = { ...gateway.lab.upstream.connections };
    let text = "";
    const talk = async () => {
      text = await bytes("shop/checkout", DATABASE);
      return parseAnswer(text);
    };
    const { records } = await gateway.outcome(talk, 1);
    expect(text).toBe("");
    expect(records.map(({ reason }) => reason)).toEqual(["no-matching-rule"]);
    expect(gateway.lab.upstream.connections).toEqual(before);
  });

  it("a workload that says nothing is not connected to anything and hears nothing", async () => {
    const { lab } = gateway;
    const { leaf, ca } = await gateway.as("shop/checkout");
    const before = lab.upstream.connections.plain;
    const silent = connect({
      host: "127.0.0.1",
      port: lab.port("tcp", 5432),
      servername: DATABASE,
      ca,
      checkServerIdentity: () => undefined,
      ...(leaf === null ? {} : { cert: leaf.cert, key: leaf.key }),
    });
    let heard = "";
    silent.on("data", (chunk: Buffer) => {
      heard += chunk.toString();
    });
    await new Promise((resolve, reject) => silent.once("secureConnect", resolve).once("error", reject));
    // Another workload's whole exchange: whatever Envoy did for the silent one by itself has happened by then.
    await gateway.outcome(async () => parseAnswer(await bytes("shop/ledger", DATABASE)), 1);
    const { records } = await gateway.outcome(async () => {
      silent.end();
      return parseAnswer("");
    }, 1);
    expect(records.map(({ reason }) => reason)).toEqual(["no-matching-rule"]);
    expect(lab.upstream.connections.plain - before).toBe(1);
    expect(heard).toBe("");
  });

  it("the same question again is answered from the cache, with a record of its own", async () => {
    const again = async () => parseAnswer(await bytes("shop/ledger", DATABASE));
    const { records } = await gateway.outcome(again, 1);
    expect(records.map(({ effect, cacheHit }) => [effect, cacheHit])).toEqual([["allow", true]]);
  });
});
