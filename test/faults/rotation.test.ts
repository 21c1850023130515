import { X509Certificate } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Authority, createAuthority, type Leaf, uri } from "../../src/cli/demo/pki.ts";
import { writeTlsFiles } from "../server/certificates.ts";
import { connectClient, httpCheck, told } from "../server/harness.ts";
import { type Serving, startServing } from "../support/serve.ts";

/** So many certificates after each other; a thousand in the long budget. */
const ROTATIONS = Number(process.env.ROTATIONS ?? 60);
const EGRESS = "spiffe://cluster.local/ns/istio-egress/sa/egress";
const SERVER: Parameters<Authority["issue"]>[0] = [{ type: "dns", value: "localhost" }];

let mesh: Authority;
let gateway: Leaf;
let files: ReturnType<typeof writeTlsFiles>;
let serving: Serving;
beforeAll(async () => {
  mesh = await createAuthority();
  gateway = await mesh.issue([uri(EGRESS)]);
  files = writeTlsFiles(await mesh.issue(SERVER), mesh.cert);
  serving = await startServing({
    "allowed-callers": EGRESS,
    "tls-certificate": files.certificate,
    "tls-key": files.key,
    "tls-client-ca": files.clientCa,
    "tls-poll": "10ms",
    "audit-to": "none",
    "log-level": "silent",
    // A machine that stands still for a while is no fault of a certificate's.
    "overload-max-wait": "30s",
  });
}, 60_000);
afterAll(async () => {
  await serving?.child.stop();
  files?.remove();
});

/** The fingerprint of the certificate that the server shows. */
function shown(): Promise<string> {
  return new Promise((resolve, reject) => {
    const port = Number(serving.address.split(":").at(-1));
    const socket = connect(
      {
        host: "127.0.0.1",
        port,
        servername: "localhost",
        ca: mesh.cert,
        cert: gateway.cert,
        key: gateway.key,
        ALPNProtocols: ["h2"],
      },
      () => {
        resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? "");
        socket.destroy();
      },
    );
    socket.on("error", reject);
  });
}

it(
  `${ROTATIONS} certificates after each other, one without its key between each two: no Check fails, on old connections and new ones`,
  async () => {
    const address = serving.address.replace("127.0.0.1", "localhost");
    const open = () =>
      connectClient(
        address,
        credentials.createSsl(Buffer.from(mesh.cert), Buffer.from(gateway.key), Buffer.from(gateway.cert)),
      );
    const failures: unknown[] = [];
    const counts = { old: 0, new: 0 };
    let rotating = true;
    const ask = async (kind: "old" | "new", client: ReturnType<typeof open>) => {
      try {
        expect(told(await client.check(httpCheck())).reason).not.toBe("");
        counts[kind] += 1;
      } catch (error) {
        failures.push(error);
      }
    };
    const stays = open();
    const onOld = (async () => {
      while (rotating) await ask("old", stays);
    })();
    const onNew = (async () => {
      while (rotating) {
        const client = open();
        await ask("new", client);
        client.close();
      }
    })();
    const seen = new Set<string>();
    for (let n = 0; n < ROTATIONS; n += 1) {
      const next = await mesh.issue(SERVER);
      // As files are written one after the other, for a moment they do not fit.
      files.write({ cert: next.cert, key: gateway.key }, mesh.cert);
      files.write(next, mesh.cert);
      const wanted = new X509Certificate(next.cert).fingerprint256;
      for (const done = Date.now() + 5_000; Date.now() < done && !seen.has(wanted); await sleep(5))
        seen.add(await shown());
      expect(seen).toContain(wanted);
    }
    rotating = false;
    await Promise.all([onOld, onNew]);
    stays.close();
    process.stderr.write(
      `rotation: ${seen.size} certificates, ${counts.old} Checks on one connection, ${counts.new} on new ones, ${failures.length} failed\n`,
    );
    expect(failures.slice(0, 3)).toEqual([]);
    expect(seen.size).toBeGreaterThanOrEqual(ROTATIONS);
    expect(Math.min(counts.old, counts.new)).toBeGreaterThan(ROTATIONS);
  },
  60_000 + ROTATIONS * 1_000,
);
