import type { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectClient, httpCheck, told } from "../server/harness.ts";
import { type Serving, startServing } from "../support/serve.ts";
import { noSpire, type Spire, startSpire } from "../support/spire.ts";

const PDP = "spiffe://cluster.local/ns/sallyport-system/sa/sallyport";
const EGRESS = "spiffe://cluster.local/ns/istio-egress/sa/egress";
/** SPIRE renews at half of it. */
const TTL_SECONDS = 20;
const missing = noSpire();
if (missing !== null) process.stdout.write(`no SPIRE: ${missing}\n`);

describe.skipIf(missing !== null)("a server whose certificate SPIRE gives", () => {
  let spire: Spire;
  let serving: Serving;
  beforeAll(async () => {
    spire = await startSpire();
    spire.register(PDP, TTL_SECONDS);
    serving = await startServing({
      "allowed-callers": EGRESS,
      "tls-workload-api": `unix://${spire.socket}`,
      "audit-to": "none",
      "log-level": "silent",
    });
  }, 180_000);
  afterAll(async () => {
    await serving?.child.stop();
    await spire?.remove();
  }, 30_000);

  const port = () => Number(serving.address.split(":").at(-1));

  /** The certificate that the server shows. */
  function shown(): Promise<X509Certificate> {
    const own = spire.mint(EGRESS);
    return new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: port(), servername: "localhost", ca: spire.roots(), ...own };
      const socket = connect({ ...options, ALPNProtocols: ["h2"] }, () => {
        const certificate = socket.getPeerX509Certificate();
        if (certificate === undefined) reject(new Error("no certificate"));
        else resolve(certificate);
        socket.destroy();
      });
      socket.on("error", reject);
    });
  }

  async function ask(spiffeId: string): Promise<string> {
    const { cert, key } = spire.mint(spiffeId);
    const channel = credentials.createSsl(Buffer.from(spire.roots()), Buffer.from(key), Buffer.from(cert));
    const client = connectClient(`localhost:${port()}`, channel);
    try {
      return told(await client.check(httpCheck())).effect ?? "";
    } catch {
      return "no connection";
    } finally {
      client.close();
    }
  }

  it("answers whom SPIRE gave the gateway's identity, and nobody else", async () => {
    expect((await shown()).subjectAltName).toContain(PDP);
    expect(await ask(EGRESS)).toBe("allow");
    expect(await ask("spiffe://cluster.local/ns/shop/sa/cart")).toBe("no connection");
  }, 60_000);

  it("shows each renewed certificate without a restart, and outlives its agent", async () => {
    const first = await shown();
    await expect
      .poll(async () => (await shown()).fingerprint256, { timeout: 90_000, interval: 1_000 })
      .not.toBe(first.fingerprint256);
    await spire.stopAgent();
    const last = (await shown()).fingerprint256;
    expect(await ask(EGRESS)).toBe("allow");
    await spire.startAgent();
    await expect.poll(async () => (await shown()).fingerprint256, { timeout: 90_000, interval: 1_000 }).not.toBe(last);
    expect(await ask(EGRESS)).toBe("allow");
  }, 240_000);
});
