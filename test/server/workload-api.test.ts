import { createPrivateKey, X509Certificate } from "node:crypto";
import { credentials, Server, ServerCredentials, type ServerWritableStream, status } from "@grpc/grpc-js";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Authority, createAuthority, type Leaf, uri } from "../../src/cli/demo/pki.ts";
import { createCallerCheck } from "../../src/server/caller.ts";
import { openTlsSource, type TlsSource } from "../../src/server/certificates/tls-source.ts";
import { svidMaterial, type X509Svid } from "../../src/server/certificates/x509-svid.ts";
import { loadWorkloadApi } from "../../src/server/load-protos.ts";
import { connectClient, httpCheck, startAnswering, told, unixAddress } from "./harness.ts";

const EGRESS = "spiffe://cluster.local/ns/istio-egress/sa/egress";
const PDP = "spiffe://cluster.local/ns/sallyport-system/sa/sallyport";
const opened: { close(): unknown }[] = [];
let mesh: Authority;
let other: Authority;

beforeAll(async () => {
  mesh = await createAuthority();
  other = await createAuthority("CN=somebody else");
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

function der(pem: string): Buffer {
  return new X509Certificate(pem).raw;
}

function svidOf(leaf: Leaf, roots: readonly string[], spiffeId = PDP): X509Svid {
  return {
    spiffe_id: spiffeId,
    x509_svid: der(leaf.cert),
    x509_svid_key: createPrivateKey(leaf.key).export({ format: "der", type: "pkcs8" }),
    bundle: Buffer.concat(roots.map(der)),
  };
}

async function issue(authority: Authority, id = PDP): Promise<Leaf> {
  return authority.issue([uri(id), { type: "dns", value: "localhost" }]);
}

type Stream = ServerWritableStream<object, { svids: readonly X509Svid[] }>;

interface Agent {
  readonly socket: string;
  /** How often a stream was opened. */
  readonly streams: () => number;
  /** What every stream says from now on, first of all at its beginning. */
  say(svids: readonly X509Svid[]): void;
  /** Ends the streams with this code; those that are opened from now on get it too, until something is said. */
  refuse(code: status): void;
}

/** A Workload API as an agent serves it: gRPC over a Unix socket, and nobody is answered without its header. */
async function startAgent(): Promise<Agent> {
  const address = unixAddress();
  const server = new Server();
  const open = new Set<Stream>();
  let now: readonly X509Svid[] | status = status.UNAVAILABLE;
  let streams = 0;
  const tell = (stream: Stream) => {
    if (typeof now === "number") stream.emit("error", { code: now, details: "not now" });
    else stream.write({ svids: now });
  };
  server.addService(loadWorkloadApi(), {
    FetchX509SVID(stream: Stream) {
      streams += 1;
      if (stream.metadata.get("workload.spiffe.io")[0] !== "true") {
        stream.emit("error", { code: status.INVALID_ARGUMENT, details: "no header" });
        return;
      }
      open.add(stream);
      stream.on("cancelled", () => open.delete(stream));
      tell(stream);
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${address.path}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  opened.push({
    close() {
      server.forceShutdown();
      address.remove();
    },
  });
  return {
    socket: address.path,
    streams: () => streams,
    say(svids) {
      now = svids;
      for (const each of open) tell(each);
    },
    refuse(code) {
      now = code;
      for (const each of open) tell(each);
      open.clear();
    },
  };
}

async function follow(agent: Agent): Promise<{ source: TlsSource; warnings: string[] }> {
  const warnings: string[] = [];
  const source = await openTlsSource({ kind: "workload-api", socket: agent.socket }, (_, error) =>
    warnings.push(String(error)),
  );
  opened.push(source);
  return { source, warnings };
}

describe("a certificate from the Workload API", () => {
  test("is waited for, served, and exchanged without a restart", async () => {
    const agent = await startAgent();
    const starting = startAnswering(
      { revision: "sha256:one", headers: [], decide: () => ({}) as never },
      { tls: { kind: "workload-api", socket: agent.socket }, callers: createCallerCheck([EGRESS]) },
    );
    await expect.poll(agent.streams, { timeout: 10_000 }).toBeGreaterThan(1);
    agent.say([svidOf(await issue(mesh), [mesh.cert])]);
    const answering = await starting;
    opened.push(answering);
    const ask = async (authority: Authority) => {
      const own = await authority.issue([uri(EGRESS)]);
      const channel = credentials.createSsl(Buffer.from(authority.cert), Buffer.from(own.key), Buffer.from(own.cert));
      const client = connectClient(answering.address.replace("127.0.0.1", "localhost"), channel);
      try {
        return told(await client.check(httpCheck())).effect;
      } catch {
        return "no connection";
      } finally {
        client.close();
      }
    };
    expect(await ask(mesh)).toBe("deny");
    expect(await ask(other)).toBe("no connection");
    agent.say([svidOf(await issue(other), [other.cert])]);
    await expect.poll(() => ask(other), { timeout: 10_000 }).toBe("deny");
    expect(await ask(mesh)).toBe("no connection");
  });

  test("is the first of several, with the roots of its own trust domain", async () => {
    const agent = await startAgent();
    const second = "spiffe://cluster.local/ns/sallyport-system/sa/second";
    const first = await issue(mesh);
    agent.say([svidOf(first, [mesh.cert]), svidOf(await issue(mesh, second), [other.cert], second)]);
    const { source } = await follow(agent);
    expect(new X509Certificate(String(source.material.options.cert)).raw).toEqual(der(first.cert));
    expect(String(source.material.options.ca)).toBe(new X509Certificate(mesh.cert).toString());
    expect(source.material.notAfterMs).toBe(new X509Certificate(first.cert).validToDate.getTime());
  });

  test("stays while the agent is gone or refuses, and is renewed when it answers again", async () => {
    const agent = await startAgent();
    agent.say([svidOf(await issue(mesh), [mesh.cert])]);
    const { source, warnings } = await follow(agent);
    const { digest } = source.material;
    agent.refuse(status.PERMISSION_DENIED);
    await expect.poll(() => warnings.length, { timeout: 10_000 }).toBeGreaterThan(0);
    const streams = agent.streams();
    await expect.poll(agent.streams, { timeout: 10_000 }).toBeGreaterThan(streams);
    expect(source.material.digest).toBe(digest);
    agent.say([svidOf(await issue(mesh), [mesh.cert])]);
    await expect.poll(() => source.material.digest, { timeout: 20_000 }).not.toBe(digest);
  });

  test("that cannot be used is told, and the one before stays", async () => {
    const agent = await startAgent();
    agent.say([svidOf(await issue(mesh), [mesh.cert])]);
    const { source, warnings } = await follow(agent);
    const { digest } = source.material;
    agent.say([]);
    await expect.poll(() => warnings.at(-1), { timeout: 10_000 }).toMatch(/no identity is registered/);
    agent.say([svidOf(await issue(mesh, EGRESS), [mesh.cert])]);
    await expect.poll(() => warnings.at(-1), { timeout: 10_000 }).toMatch(/comes with a certificate for/);
    expect(source.material.digest).toBe(digest);
  });
});

describe("an identity is refused", () => {
  const now = Date.now();

  test("whose key is another's", async () => {
    const leaf = { cert: (await issue(mesh)).cert, key: (await issue(mesh)).key };
    expect(() => svidMaterial(svidOf(leaf, [mesh.cert]), now)).toThrow(/key values mismatch/);
  });

  test("that has ended", async () => {
    const svid = svidOf(await issue(mesh), [mesh.cert]);
    expect(() => svidMaterial(svid, now + 3 * 86_400_000)).toThrow(/has ended/);
  });

  test("that names itself otherwise than its certificate, or has several URIs", async () => {
    const leaf = await issue(mesh);
    expect(() => svidMaterial(svidOf(leaf, [mesh.cert], EGRESS), now)).toThrow(/comes with a certificate for/);
    const two = await mesh.issue([uri(PDP), uri(EGRESS)]);
    expect(() => svidMaterial(svidOf(two, [mesh.cert]), now)).toThrow(/comes with a certificate for/);
  });

  test.each(["x509_svid", "x509_svid_key", "bundle"] as const)("whose %s is missing, cut or no DER", async (part) => {
    const svid = svidOf(await issue(mesh), [mesh.cert]);
    for (const bytes of [Buffer.alloc(0), svid[part].slice(0, -1), Buffer.from("no DER")]) {
      expect(() => svidMaterial({ ...svid, [part]: bytes }, now)).toThrow();
    }
  });
});
