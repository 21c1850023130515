import type { IncomingHttpHeaders } from "node:http";
import { get as httpsGet } from "node:https";
import { credentials } from "@grpc/grpc-js";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Authority, createAuthority, type Leaf, uri } from "../../src/cli/demo/pki.ts";
import { createCallerCheck, isCallerPattern } from "../../src/server/caller.ts";
import type { TlsFiles } from "../../src/server/certificates/tls-files.ts";
import type { TlsOptions } from "../../src/server/certificates/tls-source.ts";
import { writeTlsFiles } from "./certificates.ts";
import { type Answering, connectClient, decision, httpCheck, startAnswering, told } from "./harness.ts";

const EGRESS = "spiffe://cluster.local/ns/istio-egress/sa/egress";
const PROMETHEUS = "spiffe://cluster.local/ns/monitoring/sa/prometheus";
const opened: { close(): unknown }[] = [];
let mesh: Authority;
let other: Authority;
let server: Leaf;

beforeAll(async () => {
  mesh = await createAuthority();
  other = await createAuthority("CN=somebody else");
  server = await mesh.issue([{ type: "dns", value: "localhost" }, uri("spiffe://cluster.local/ns/sallyport/sa/pdp")]);
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function start(
  allowed: readonly string[],
): Promise<{ answering: Answering; files: ReturnType<typeof writeTlsFiles> }> {
  const files = writeTlsFiles(server, mesh.cert);
  const answering = await startAnswering(
    { revision: "sha256:one", headers: [], decide: () => decision() },
    { tls: fromFiles(files), callers: createCallerCheck(allowed) },
  );
  opened.push({ close: files.remove }, answering);
  return { answering, files };
}

function lasting(fromMs: number, untilMs: number) {
  return { notBefore: new Date(Date.now() + fromMs), notAfter: new Date(Date.now() + untilMs) };
}

function fromFiles(files: TlsFiles): TlsOptions {
  return { kind: "files", files, pollMs: 20 };
}

/** One Check with a connection of its own; the trust is in `mesh` unless told otherwise. */
async function ask(address: string, leaf: Leaf | null, trust = mesh.cert): Promise<string> {
  const key = leaf === null ? null : Buffer.from(leaf.key);
  const chain = leaf === null ? null : Buffer.from(leaf.cert);
  const client = connectClient(
    address.replace("127.0.0.1", "localhost"),
    credentials.createSsl(Buffer.from(trust), key, chain),
  );
  try {
    return told(await client.check(httpCheck())).effect ?? "";
  } finally {
    client.close();
  }
}

describe("callers", () => {
  test("a listed identity is answered and recorded as the gateway that asked", async () => {
    const { answering } = await start([EGRESS]);
    expect(await ask(answering.address, await mesh.issue([uri(EGRESS)]))).toBe("allow");
    expect(answering.records()[0]?.gateway).toBe(EGRESS);
  });

  const refused: [string, () => Promise<Leaf | null>][] = [
    ["nobody", async () => null],
    ["an identity that is not listed", () => mesh.issue([uri("spiffe://cluster.local/ns/shop/sa/cart")])],
    ["a longer identity than the listed one", () => mesh.issue([uri(`${EGRESS}2`)])],
    ["another CA that spells the listed identity", () => other.issue([uri(EGRESS)])],
    ["a DNS name that spells the listed identity", () => mesh.issue([{ type: "dns", value: EGRESS }])],
    ["a DNS name with a comma and a URI in it", () => mesh.issue([{ type: "dns", value: `x, URI:${EGRESS}` }])],
    ["the listed identity beside another", () => mesh.issue([uri(EGRESS), uri("spiffe://cluster.local/ns/a/sa/b")])],
    ["the listed identity cut short by a NUL", () => mesh.issue([uri(`${EGRESS}\0.evil`)])],
    ["no subject alternative name at all", () => mesh.issue([])],
    ["a certificate that has expired", () => mesh.issue([uri(EGRESS)], lasting(-7_200_000, -3_600_000))],
    ["a certificate that is not valid yet", () => mesh.issue([uri(EGRESS)], lasting(3_600_000, 7_200_000))],
  ];
  for (const [name, issue] of refused) {
    test(`refused: ${name}`, async () => {
      const { answering } = await start([EGRESS]);
      await expect(ask(answering.address, await issue())).rejects.toMatchObject({ code: 14 });
      expect(answering.records()).toHaveLength(0);
      expect(await ask(answering.address, await mesh.issue([uri(EGRESS)]))).toBe("allow");
    });
  }

  test("refusals are counted", async () => {
    const { answering } = await start([EGRESS]);
    await expect(ask(answering.address, await mesh.issue([]))).rejects.toThrow();
    expect(answering.refusals()).toBeGreaterThan(0);
  });

  test("with nobody listed, nobody is admitted", async () => {
    const { answering } = await start([]);
    await expect(ask(answering.address, await mesh.issue([uri(EGRESS)]))).rejects.toMatchObject({ code: 14 });
  });

  test("a trailing /* admits everything below, not the thing itself nor its neighbours", async () => {
    const { answering } = await start(["spiffe://cluster.local/ns/istio-egress/*"]);
    expect(await ask(answering.address, await mesh.issue([uri(EGRESS)]))).toBe("allow");
    for (const no of ["spiffe://cluster.local/ns/istio-egress", "spiffe://cluster.local/ns/istio-egress2/sa/x"]) {
      await expect(ask(answering.address, await mesh.issue([uri(no)]))).rejects.toMatchObject({ code: 14 });
    }
  });

  test("plaintext gets no answer", async () => {
    const { answering } = await start([EGRESS]);
    const client = connectClient(answering.address);
    await expect(client.check(httpCheck())).rejects.toMatchObject({ code: 14 });
    client.close();
  });
});

describe("rotation", () => {
  test("new certificate files take effect without a restart; one half of a rotation changes nothing", async () => {
    const { answering, files } = await start([EGRESS]);
    const renewed = await other.issue([{ type: "dns", value: "localhost" }]);
    const caller = await other.issue([uri(EGRESS)]);
    files.write({ cert: renewed.cert, key: server.key }, other.cert);
    await expect.poll(() => answering.warnings.length, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(await ask(answering.address, await mesh.issue([uri(EGRESS)]))).toBe("allow");
    files.write(renewed, other.cert);
    await expect
      .poll(() => ask(answering.address, caller, other.cert).catch(() => "refused"), { timeout: 10_000 })
      .toBe("allow");
    await expect(ask(answering.address, await mesh.issue([uri(EGRESS)]), other.cert)).rejects.toThrow();
  });

  test("files that do not fit are refused at start", async () => {
    const files = writeTlsFiles({ cert: server.cert, key: (await mesh.issue([])).key }, mesh.cert);
    opened.push({ close: files.remove });
    await expect(startAnswering(null, { tls: fromFiles(files) })).rejects.toThrow();
  });
});

test("only SPIFFE IDs may be listed", () => {
  for (const good of [EGRESS, "spiffe://cluster.local/ns/x/*", "spiffe://a.b/*"])
    expect(isCallerPattern(good)).toBe(true);
  const bad = [
    "",
    "*",
    "spiffe://",
    "spiffe://a/b/",
    "spiffe://A/b",
    "spiffe://a/../b",
    "spiffe://a/b*",
    "https://a/b",
    "spiffe://*/b",
  ];
  for (const each of bad) expect(isCallerPattern(each), each).toBe(false);
});

describe("policies over mTLS", () => {
  const loaded = { revision: "sha256:one", bundle: Buffer.from("a bundle"), sinceMs: 7, generation: 7 };

  /** One request over HTTP/1.1, with a connection of its own. */
  function fetchPolicies(
    address: string,
    leaf: Leaf | null,
    headers: Record<string, string> = {},
    path = "/v1/bundle",
  ) {
    const port = Number(address.split(":").at(-1));
    const own = leaf === null ? {} : { cert: leaf.cert, key: leaf.key };
    return new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
      const options = {
        host: "localhost",
        port,
        path,
        ca: mesh.cert,
        agent: false,
        ALPNProtocols: ["http/1.1"],
        headers,
        ...own,
      };
      httpsGet(options, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (part) => (body += part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      }).on("error", reject);
    });
  }

  async function serving(): Promise<Answering> {
    const files = writeTlsFiles(server, mesh.cert);
    const engine = { revision: "sha256:one", headers: [], decide: () => decision() };
    const readers = createCallerCheck([PROMETHEUS]);
    const options = { tls: fromFiles(files), callers: createCallerCheck([EGRESS]), readers, loaded };
    const answering = await startAnswering(engine, options);
    opened.push({ close: files.remove }, answering);
    return answering;
  }

  test("a listed gateway gets them on the port of its Checks, with a lease when it asks with a nonce", async () => {
    const { address } = await serving();
    const gateway = await mesh.issue([uri(EGRESS)]);
    const plain = await fetchPolicies(address, gateway);
    expect([plain.status, plain.body, plain.headers.etag]).toEqual([200, "a bundle", '"sha256:one"']);
    expect(plain.headers["x-sallyport-lease-ms"]).toBeUndefined();
    const nonce = "0123456789abcdef0123456789abcdef";
    const worker = "00000000000000000000000000000001";
    const about = { "x-sallyport-worker": worker, "x-sallyport-sequence": "0" };
    const headers = { "if-none-match": '"sha256:one"', "x-sallyport-nonce": nonce, ...about };
    const same = await fetchPolicies(address, gateway, headers);
    expect(same.status).toBe(304);
    expect(same.headers).toMatchObject({
      "x-sallyport-nonce": nonce,
      "x-sallyport-lease-ms": "5000",
      "x-sallyport-generation": "7",
    });
    expect((await fetchPolicies(address, gateway, { "x-sallyport-nonce": "no nonce" })).headers).not.toHaveProperty(
      "x-sallyport-nonce",
    );
    for (const path of ["/metrics", "/v1/decisions", "/"]) {
      expect((await fetchPolicies(address, gateway, {}, path)).status).toBe(404);
    }
    // gRPC goes on as before on the same port.
    expect(await ask(address, gateway)).toBe("allow");
  });

  test("nobody else gets them", async () => {
    const { address, refusals } = await serving();
    const stranger = await mesh.issue([uri("spiffe://cluster.local/ns/shop/sa/cart")]);
    for (const leaf of [null, stranger, await other.issue([uri(EGRESS)])]) {
      await expect(fetchPolicies(address, leaf)).rejects.toThrow();
    }
    expect(refusals()).toBeGreaterThan(0);
  });

  test("a reader of figures gets those, and neither policies nor answers", async () => {
    const { address, records } = await serving();
    const reader = await mesh.issue([uri(PROMETHEUS)]);
    const { status, body } = await fetchPolicies(address, reader, {}, "/metrics");
    expect(status).toBe(200);
    expect(body).toContain("sallyport_");
    for (const path of ["/v1/bundle", "/v1/decisions", "/"]) {
      expect((await fetchPolicies(address, reader, {}, path)).status).toBe(404);
    }
    await expect(ask(address, reader)).rejects.toMatchObject({ code: 14 });
    expect(records()).toEqual([]);
    await expect(fetchPolicies(address, await other.issue([uri(PROMETHEUS)]), {}, "/metrics")).rejects.toThrow();
  });
});
