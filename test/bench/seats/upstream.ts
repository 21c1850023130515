import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { accepts, startChild, waitUntil } from "../../../src/cli/demo/process.ts";
import { extension } from "../../../src/generate/envoy-parts/typed.ts";
import type { CellParts } from "./cell.ts";
import { questionAt } from "./question.ts";
import { ANSWER, takingRequests } from "./taking-requests.ts";
import { SIZES } from "./ways.ts";

/** A server outside, which proves this name. */
export interface Outside {
  readonly host: string;
  readonly port: number;
}

const TLS = "extensions.transport_sockets.tls.v3";
const READY_MS = 30_000;

/** The cluster of a server outside: HTTP/1.1 over TLS that is verified, on as many connections as there are requests at a time. */
export function upstreamCluster(name: string, { host, port }: Outside, roots: string): object {
  const endpoint = { address: { socket_address: { address: "127.0.0.1", port_value: port } } };
  return {
    name,
    type: "STATIC",
    // No limit that a busy machine could come near: where one connection is given up, all requests that wait for one fail.
    connect_timeout: "30s",
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
    transport_socket: extension("tls", `${TLS}.UpstreamTlsContext`, {
      sni: host,
      common_tls_context: {
        alpn_protocols: ["http/1.1"],
        validation_context: {
          trusted_ca: { filename: roots },
          match_typed_subject_alt_names: [{ san_type: "DNS", matcher: { exact: host } }],
        },
      },
    }),
  };
}

/** Starts the server outside that answers what is asked at any size: an Envoy with one worker. Returns its port once it listens. */
export async function startUpstream(
  parts: Pick<CellParts, "envoy" | "directory" | "certificates" | "nextPort" | "started">,
): Promise<number> {
  const { envoy, directory, certificates } = parts;
  const port = parts.nextPort();
  const { certificate, key } = await certificates.outside(SIZES.map((rules) => questionAt(rules).host));
  const own = { certificate_chain: { filename: certificate }, private_key: { filename: key } };
  const tls = extension("tls", `${TLS}.DownstreamTlsContext`, {
    common_tls_context: { alpn_protocols: ["http/1.1"], tls_certificates: [own] },
  });
  const config = join(directory, "upstream.json");
  const adminSocket = join(directory, "upstream-admin.sock");
  await writeFile(config, JSON.stringify(takingRequests({ port, tls, action: ANSWER, adminSocket })));
  const flags = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "error"];
  const child = startChild(envoy, ["-c", config, ...flags]);
  parts.started(child);
  await waitUntil("the upstream listening", () => accepts(port), READY_MS, child);
  return port;
}
