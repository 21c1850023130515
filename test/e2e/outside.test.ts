import { describe, expect, it } from "vitest";
import { type Answer, requestHttp1, requestTlsInTls, sendBytes } from "../../src/cli/demo/client.ts";
import { createAuthority, dns } from "../../src/cli/demo/pki.ts";
import { accessLog, eventually, useGateway } from "../support/gateway.ts";

const gateway = useGateway({
  policies: new URL("outside-policies", import.meta.url).pathname,
  uncertified: ["uncertified.example.com"],
  async secrets() {
    const partner = await (await createAuthority("CN=partner clients")).issue([dns("partner-client")]);
    return {
      "partner-client/tls.crt": partner.cert,
      "partner-client/tls.key": partner.key,
      "other-authority/ca.crt": (await createAuthority("CN=nobody's")).cert,
    };
  },
});

const UPGRADE = ["connection: Upgrade", "upgrade: websocket", "sec-websocket-version: 13", "sec-websocket-key: AAAA"];

async function get(
  host: string,
  headers: readonly string[] = [],
  who = "shop/checkout",
  dialled = 80,
): Promise<Answer> {
  const caller = await gateway.as(who);
  return requestHttp1(caller, gateway.lab.port("http", dialled), "GET /", [`host: ${host}`, ...headers]);
}

function lastSeen() {
  return gateway.lab.upstream.seen.at(-1);
}

async function applicationTls(outer: string, inner: string): Promise<Answer> {
  const { lab } = gateway;
  const ca = lab.authorities.outside.cert;
  return requestTlsInTls(await gateway.as("shop/checkout"), lab.port("tls", 443), outer, { servername: inner, ca });
}

async function bytes(host: string, port: number, text: string): Promise<string> {
  const caller = await gateway.as("shop/checkout");
  const at = gateway.lab.port("tcp", port);
  return sendBytes(caller, at, text, `tcp-${port}.${host}`, (received) => received.includes(text));
}

describe("TLS that the gateway makes", () => {
  it("names the host and verifies it, whatever spelling of it the request has", async () => {
    for (const host of ["web.example.com", "WEB.example.com", "web.example.com.", "web.example.com:80"]) {
      expect(await get(host)).toMatchObject({ status: 200 });
      expect(lastSeen()).toMatchObject({ host: "web.example.com", sni: "web.example.com" });
    }
  });

  it("a server whose certificate lacks the name gets no request", async () => {
    const seen = gateway.lab.upstream.seen.length;
    expect(await get("uncertified.example.com")).toMatchObject({ status: 503 });
    expect(gateway.lab.upstream.seen).toHaveLength(seen);
  });

  it("a server of another authority than the service names gets no request", async () => {
    const seen = gateway.lab.upstream.seen.length;
    expect(await get("distrusted.example.com")).toMatchObject({ status: 503 });
    expect(gateway.lab.upstream.seen).toHaveLength(seen);
  });

  it("shows the client certificate that the service names, to no other server, and speaks the version it asks for", async () => {
    expect(await get("mutual.example.com")).toMatchObject({ status: 200 });
    expect(lastSeen()).toMatchObject({ client: "DNS:partner-client", tlsVersion: "TLSv1.3" });
    await get("web.example.com");
    expect(lastSeen()).toMatchObject({ client: null });
  });

  it("a wildcard's host is named and verified as the request has it", async () => {
    expect(await get("a.wild.example.com")).toMatchObject({ status: 200 });
    expect(lastSeen()).toMatchObject({ host: "a.wild.example.com", sni: "a.wild.example.com" });
    // The outside's certificate is for one label, so a second proves that the name is verified.
    const seen = gateway.lab.upstream.seen.length;
    expect(await get("b.a.wild.example.com")).toMatchObject({ status: 503 });
    expect(gateway.lab.upstream.seen).toHaveLength(seen);
  });

  it("a port other than 443 is part of the authority", async () => {
    expect(await get("port.example.com:8080", [], "shop/checkout", 8080)).toMatchObject({ status: 200 });
    expect(lastSeen()).toMatchObject({ host: "port.example.com:8443", sni: "port.example.com" });
  });

  it("nothing of the mesh reaches the outside: no XFCC, no peer metadata, no Envoy header", async () => {
    const planted = [
      "x-forwarded-client-cert: By=spiffe://x;Hash=1",
      "x-envoy-peer-metadata: abc",
      "x-envoy-peer-metadata-id: d",
    ];
    expect(await get("web.example.com", planted.slice(0, 1))).toMatchObject({ status: 200 });
    const names = Object.keys(lastSeen()?.headers ?? {});
    expect(names.filter((name) => /^x-(forwarded-client|envoy|sallyport)/.test(name))).toEqual([]);
    expect(JSON.stringify(lastSeen()?.headers)).not.toContain("spiffe");
    await get("web.example.com", planted);
    expect(Object.keys(lastSeen()?.headers ?? {}).filter((name) => name.startsWith("x-envoy"))).toEqual([]);
  });
});

describe("a permitted name that leads to a guarded address", () => {
  const guarded = [
    "127.0.0.2",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b::a00:1",
    "fd00:ec2::254",
    "fe80::1",
  ];
  it.each(guarded)("%s: nothing is dialled, for requests and for application TLS", async (address) => {
    const { lab } = gateway;
    const host = `at-${address.replaceAll(/[.:]/g, "-")}.wild.example.com`;
    lab.names.addresses.set(host, [address]);
    const before = { ...lab.upstream.connections };
    expect(await get(host)).toMatchObject({ status: 503 });
    expect(await applicationTls(host, host)).toMatchObject({ status: null });
    expect(lab.upstream.connections).toEqual(before);
    const refusals = async () =>
      (await accessLog(lab)).split("\n").filter((line) => line.includes(`"host":"${host}:`) && line.includes("rbac_"));
    const lines = await eventually(refusals, ({ length }) => length === 2, 3_000);
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual(["dial", "dial"]);
  });

  it("TCP: nothing is dialled", async () => {
    gateway.lab.names.addresses.set("db.example.com", ["127.0.0.2"]);
    const before = { ...gateway.lab.upstream.connections };
    expect(await bytes("db.example.com", 5432, "select 1\n")).toBe("");
    expect(gateway.lab.upstream.connections).toEqual(before);
  });

  it("TCP with addresses: only these are dialled", async () => {
    expect(await bytes("listed.example.com", 5433, "select 2\n")).toContain("select 2");
    gateway.lab.names.addresses.set("listed.example.com", ["198.51.100.7"]);
    const gone = await eventually(
      () => bytes("listed.example.com", 5433, "select 3\n"),
      (text) => text === "",
      8_000,
    );
    expect(gone).toBe("");
  });

  it("a service that the security team calls internal may lead there", async () => {
    gateway.lab.names.addresses.set("printer.svc.cluster.local", ["127.0.0.1"]);
    expect(await get("printer.svc.cluster.local")).toMatchObject({ status: 200 });
  });
});

describe("application TLS inside mTLS", () => {
  it("passes with the name that was authorised", async () => {
    expect(await applicationTls("web.example.com", "web.example.com")).toMatchObject({ status: 200 });
    expect(lastSeen()).toMatchObject({ sni: "web.example.com" });
  });

  it.each([
    ["another allowed host", "web.example.com", "other.example.com"],
    ["a host under the same wildcard", "a.wild.example.com", "b.wild.example.com"],
    ["a host of another listener", "web.example.com", "chat.example.com"],
  ])("inner SNI other than outer (%s): closed, nothing is dialled", async (_, outer, inner) => {
    const before = { ...gateway.lab.upstream.connections };
    expect(await applicationTls(outer, inner)).toMatchObject({ status: null });
    const last = await eventually(
      async () => (await gateway.lab.records()).at(-1),
      (record) => record?.target.host === outer,
      3_000,
    );
    expect(last).toMatchObject({ effect: "allow", target: { host: outer, protocol: "tls" } });
    expect(gateway.lab.upstream.connections).toEqual(before);
  });

  it("bytes that are no TLS: closed, nothing is dialled", async () => {
    const before = { ...gateway.lab.upstream.connections };
    const caller = await gateway.as("shop/checkout");
    const text = "GET / HTTP/1.1\r\nhost: web.example.com\r\n\r\n";
    expect(await sendBytes(caller, gateway.lab.port("tls", 443), text, "web.example.com")).toBe("");
    expect(gateway.lab.upstream.connections).toEqual(before);
  });
});

describe("connections outside", () => {
  it("workloads share them, unless the service says otherwise", async () => {
    const used = async (host: string): Promise<Set<string>> => {
      const pairs = new Set<string>();
      for (let round = 0; round < 6; round++) {
        for (const who of ["shop/checkout", "shop/cart"]) {
          expect(await get(host, [], who)).toMatchObject({ status: 200 });
          pairs.add(`${lastSeen()?.connection} ${who}`);
        }
      }
      return pairs;
    };
    const owners = (pairs: Set<string>) => Map.groupBy(pairs, (pair) => pair.split(" ")[0]);
    expect([...owners(await used("private.example.com")).values()].every((pairs) => pairs.length === 1)).toBe(true);
    expect([...owners(await used("web.example.com")).values()].some((pairs) => pairs.length === 2)).toBe(true);
  });

  it("an upgraded connection is never shared and never used again", async () => {
    await get("chat.example.com");
    const pooled = lastSeen()?.connection;
    expect(await get("chat.example.com", UPGRADE)).toMatchObject({ status: 101 });
    const upgraded = lastSeen()?.connection;
    expect(upgraded).not.toBe(pooled);
    for (let round = 0; round < 6; round++) {
      await get("chat.example.com");
      expect(lastSeen()?.connection).not.toBe(upgraded);
    }
  });

  it("nor is one whose upgrade the server refused, and which might hold bytes for the next (CVE-2026-73548)", async () => {
    const caller = await gateway.as("shop/checkout");
    const at = gateway.lab.port("http", 80);
    const refused = await requestHttp1(caller, at, "GET /refuses-upgrades", ["host: web.example.com", ...UPGRADE]);
    expect(refused).toMatchObject({ status: 200 });
    const upgraded = lastSeen()?.connection;
    for (let round = 0; round < 6; round++) {
      await get("web.example.com");
      expect(lastSeen()?.connection).not.toBe(upgraded);
    }
  });
});

describe("traffic that goes elsewhere, too", () => {
  it("a mirror gets a copy, under its own name", async () => {
    const before = gateway.lab.upstream.seen.length;
    expect(await get("copied.example.com")).toMatchObject({ status: 200 });
    const seen = () => gateway.lab.upstream.seen.slice(before).map(({ host, sni }) => `${host} ${sni}`);
    await eventually(
      async () => seen(),
      (each) => each.length === 2,
      3_000,
    );
    expect(seen().sort()).toEqual(["copied.example.com copied.example.com", "copy.example.com copy.example.com"]);
  });

  it("a mirror whose name leads to a guarded address gets nothing", async () => {
    const { lab } = gateway;
    lab.names.addresses.set("away.example.com", ["127.0.0.3"]);
    const before = lab.upstream.connections.tls;
    expect(await get("copied-away.example.com")).toMatchObject({ status: 200 });
    const refused = (text: string): boolean => text.includes(`"host":"away.example.com:`) && text.includes("rbac_");
    expect(refused(await eventually(() => accessLog(lab), refused, 3_000))).toBe(true);
    expect(lastSeen()?.host).toBe("copied-away.example.com");
    expect(lab.upstream.connections.tls - before).toBe(1);
  });

  it("a split sends each part to its own host, under its own name", async () => {
    const counts = new Map<string, number>();
    for (let round = 0; round < 40; round++) {
      expect(await get("divided.example.com")).toMatchObject({ status: 200 });
      const { host, sni } = lastSeen() ?? {};
      expect(sni).toBe(host);
      counts.set(host ?? "", (counts.get(host ?? "") ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(["copy.example.com", "divided.example.com"]);
  });
});
