import { describe, expect, it } from "vitest";
import { type Answer, type Caller, requestHttp1, requestHttp2, sendBytes } from "../../src/cli/demo/client.ts";
import { dns, type San, uri } from "../../src/cli/demo/pki.ts";
import { useGateway } from "../support/gateway.ts";

const CHECKOUT = "spiffe://cluster.local/ns/shop/sa/checkout";
const H2 = { ":method": "GET", ":scheme": "https", ":authority": "api.example.com", ":path": "/v1/items/7" };

type Signer = "mesh" | "partner" | "rogue";

interface Certificate {
  readonly name: string;
  /** Null: no certificate at all. */
  readonly sans: readonly San[] | null;
  readonly signer?: Signer;
  readonly reason: string;
}

describe("at a gateway that demands SPIFFE IDs", () => {
  const gateway = useGateway();

  const strangers: readonly Omit<Certificate, "reason">[] = [
    { name: "no certificate", sans: null },
    { name: "our identity minted by another authority", sans: [uri(CHECKOUT)], signer: "rogue" },
    { name: "our identity minted by the partner's authority", sans: [uri(CHECKOUT)], signer: "partner" },
    {
      name: "an alias of ours minted by the partner's authority",
      sans: [uri("spiffe://old.example/ns/shop/sa/checkout")],
      signer: "partner",
    },
    { name: "a partner's identity minted by our authority", sans: [uri("spiffe://partner.example/settlement/batch")] },
    { name: "a foreign trust domain", sans: [uri("spiffe://foreign.example/ns/shop/sa/checkout")] },
    { name: "a DNS name that spells a SPIFFE ID", sans: [dns(CHECKOUT)] },
    { name: "a certificate without names", sans: [] },
  ];

  async function callerOf({ sans, signer = "mesh" }: Omit<Certificate, "reason">): Promise<Caller> {
    const { lab } = gateway;
    if (sans === null) return { leaf: null, ca: lab.authorities.mesh.cert };
    return lab.caller(sans, lab.authorities[signer]);
  }

  /** The one record of a request that is allowed afterwards shows that none was written before. */
  async function refusedUnasked(
    attempt: (caller: Caller) => Promise<Answer>,
    certificate: Omit<Certificate, "reason">,
  ) {
    const caller = await callerOf(certificate);
    const known = await gateway.as("shop/checkout");
    let refused: Answer | null = null;
    const both = async () => {
      refused = await attempt(caller);
      return requestHttp1(known, gateway.lab.port("http", 80), "GET /v1/items/7", ["host: api.example.com"]);
    };
    const { answer, records } = await gateway.outcome(both, 1);
    expect(refused).toMatchObject({ status: null });
    expect(answer.status).toBe(200);
    expect(records.map(({ reason }) => reason)).toEqual(["allowed-by-rule"]);
  }

  it.each(strangers)("$name: no connection, nobody is asked, over HTTP/1.1", async (certificate) => {
    const send = (caller: Caller) =>
      requestHttp1(caller, gateway.lab.port("http", 80), "GET /v1/items/7", ["host: api.example.com"]);
    await refusedUnasked(send, certificate);
  });

  it("our identity minted by the partner's authority: no connection over HTTP/2", async () => {
    const send = (caller: Caller) => requestHttp2(caller, gateway.lab.port("http", 80), H2);
    await refusedUnasked(send, { name: "", sans: [uri(CHECKOUT)], signer: "partner" });
  });

  it("our identity minted by the partner's authority: no connection on the network port", async () => {
    const before = { ...gateway.lab.upstream.connections };
    const caller = await callerOf({ name: "", sans: [uri(CHECKOUT)], signer: "partner" });
    expect(await sendBytes(caller, gateway.lab.port("tls", 443), "x", "www.example.com")).toBe("");
    expect(gateway.lab.upstream.connections).toEqual(before);
  });
});

describe("at a gateway that lets any caller ask", () => {
  const gateway = useGateway({ laxCallers: true });

  const certificates: readonly Certificate[] = [
    { name: "no certificate", sans: null, reason: "no-identity" },
    { name: "a DNS name that spells a SPIFFE ID", sans: [dns(CHECKOUT)], reason: "invalid-identity" },
    { name: "a certificate without names", sans: [], reason: "invalid-identity" },
    {
      name: "two SPIFFE IDs",
      sans: [uri(CHECKOUT), uri("spiffe://cluster.local/ns/shop/sa/stranger")],
      reason: "invalid-identity",
    },
    {
      name: "a URI of another scheme",
      sans: [uri("https://cluster.local/ns/shop/sa/checkout")],
      reason: "invalid-identity",
    },
    {
      name: "a SPIFFE ID in upper case",
      sans: [uri("SPIFFE://cluster.local/ns/shop/sa/checkout")],
      reason: "invalid-identity",
    },
    {
      name: "a trust domain in upper case",
      sans: [uri("spiffe://Cluster.Local/ns/shop/sa/checkout")],
      reason: "invalid-identity",
    },
    {
      name: "a SPIFFE ID with a dot segment",
      sans: [uri("spiffe://cluster.local/ns/shop/../shop/sa/checkout")],
      reason: "invalid-identity",
    },
    {
      name: "a SPIFFE ID with a port",
      sans: [uri("spiffe://cluster.local:443/ns/shop/sa/checkout")],
      reason: "invalid-identity",
    },
    { name: "a SPIFFE ID with a query", sans: [uri(`${CHECKOUT}?x=1`)], reason: "invalid-identity" },
    {
      name: "a foreign trust domain",
      sans: [uri("spiffe://foreign.example/ns/shop/sa/checkout")],
      reason: "foreign-trust-domain",
    },
    {
      name: "a trust domain that begins like ours",
      sans: [uri("spiffe://cluster.local.evil/ns/shop/sa/checkout")],
      reason: "foreign-trust-domain",
    },
  ];

  it.each(certificates)("$name: 403 $reason, whatever XFCC says", async ({ sans, reason }) => {
    const { lab } = gateway;
    const caller = sans === null ? { leaf: null, ca: lab.authorities.mesh.cert } : await lab.caller(sans);
    const headers = ["host: api.example.com", `x-forwarded-client-cert: URI=${CHECKOUT}`];
    const send = () => requestHttp1(caller, lab.port("http", 80), "GET /v1/items/7", headers);
    const { answer, records } = await gateway.outcome(send, 1);
    expect(records.map((record) => record.reason)).toEqual([reason]);
    expect(answer.status).toBe(403);
    expect(lab.upstream.seen).toEqual([]);
  });

  it("a workload's own SPIFFE ID is still taken", async () => {
    const caller = await gateway.as("shop/checkout");
    const send = () => requestHttp1(caller, gateway.lab.port("http", 80), "GET /v1/items/7", ["host: api.example.com"]);
    const { answer, records } = await gateway.outcome(send, 1);
    expect([answer.status, records[0]?.reason]).toEqual([200, "allowed-by-rule"]);
    gateway.lab.upstream.seen.length = 0;
  });
});
