import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePorts } from "../../src/cli/demo/ports.ts";
import { accepts, type Child, startChild, waitUntil } from "../../src/cli/demo/process.ts";
import { type SeenRequest, startUpstream, type Upstream } from "../../src/cli/demo/upstream.ts";
import { istioTarget } from "../../src/generate/istio/target.ts";
import { type GatewayListener, listenersOf } from "../../src/generate/listeners.ts";
import type { Workload } from "../support/reach.ts";
import type { Bench } from "./bench.ts";
import { writeGenerated } from "./files.ts";
import { GATEWAY, type Identities, makeIdentities, spiffeId } from "./identities.ts";
import type { MeshSet } from "./mesh-set.ts";
import { AUTHORIZER_IP, GATEWAY_IP, platform, podOf } from "./platform.ts";

const READY_MS = 30_000;

/** A mesh of real Envoys, configured by real Istio code from what we generated, with our own authorizer. */
export interface MeshLab {
  readonly identities: Identities;
  readonly seen: readonly SeenRequest[];
  readonly directory: string;
  sidecarPort(workload: Workload): number;
  /** Where the gateway listens, by its listener's name. */
  gatewayPort(listener: GatewayListener): number;
  readonly listeners: readonly GatewayListener[];
  records(): Promise<
    readonly {
      readonly seat: string;
      readonly effect: string;
      readonly reason: string;
      readonly subject: { readonly spiffeId: string };
    }[]
  >;
  close(): Promise<void>;
}

/** The outside can prove every name but these. */
export function isCertified(host: string): boolean {
  return !host.startsWith("uncertified.");
}

/** Generates, writes and translates a set, and starts everything. `directory` must exist. */
export async function startMeshLab(bench: Bench, mesh: MeshSet, directory: string, envoy: string): Promise<MeshLab> {
  const children: Child[] = [];
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
    await Promise.all(closers.map((each) => each()));
  };
  try {
    const hosts = [...new Set(mesh.targets.map(({ host }) => host))];
    const identities = await makeIdentities(
      join(directory, "certificates"),
      hosts.filter((host) => !/^[\d.]+$/.test(host) && isCertified(host)),
    );
    const yaml = join(directory, "yaml");
    await writeGenerated(istioTarget, mesh.set, platform(mesh.workloads, identities.secrets), yaml);
    const upstream = await startUpstream(identities.outsideLeaf);
    closers.push(() => upstream.close());
    const listeners = mesh.set.gateway.securityModel === "Gateway" ? [...listenersOf(mesh.set.services).values()] : [];
    const [pdp = 0, admin = 0, ...ports] = await freePorts(2 + listeners.length + mesh.workloads.length);
    const gatewayPort = (listener: GatewayListener): number => ports[listeners.indexOf(listener)] ?? 0;
    const sidecarPort = (workload: Workload): number => ports[listeners.length + mesh.workloads.indexOf(workload)] ?? 0;
    const audit = join(directory, "audit.jsonl");

    const outside = outsideAddresses(mesh, upstream);
    // Where services bring their own authority, the system's must not vouch for the outside as well.
    const bringsOwn = mesh.set.services.some(({ tls }) => tls?.credentialName != null || tls?.caCertificates != null);
    const systemRoots = bringsOwn ? identities.meshCa : identities.outsideCa;
    const roots = { ROOTCA: `ca:${identities.meshCa}`, "file-root:system": `ca:${systemRoots}` };
    const run = async (
      pod: string,
      type: "router" | "sidecar",
      who: Workload,
      addresses: Record<string, string>,
      listen: Record<string, string>,
    ) => {
      const out = join(directory, "out", pod.replace("/", "-"));
      const secrets = { ...roots, default: await identities.secret(who) };
      const config = await bench.translate({
        directory: yaml,
        pod,
        type,
        out,
        secrets,
        addresses: { ...addresses, ...outside },
        listeners: listen,
      });
      // A child's standard output is a socket, which cannot be opened by name.
      await writeFile(config, (await readFile(config, "utf8")).replaceAll("/dev/stdout", join(out, "access.log")));
      const args = ["-c", config, "--disable-hot-restart", "--concurrency", "1", "--log-level", "error"];
      const child = startChild(envoy, args);
      children.push(child);
      const [first] = Object.values(listen);
      await waitUntil(`the Envoy of ${pod}`, () => accepts(Number(first?.split(":")[1])), READY_MS, child);
    };
    if (listeners.length > 0) {
      const server = startChild(process.execPath, serveArguments(mesh, identities, { pdp, admin, audit }));
      children.push(server);
      await waitUntil("sallyport serve", () => isReady(admin), READY_MS, server);
      const listen = Object.fromEntries(
        listeners.map((each) => [`0.0.0.0_${each.port}`, `127.0.0.1:${gatewayPort(each)}`]),
      );
      const authorizer = [AUTHORIZER_IP, "sallyport.sallyport-system.svc.cluster.local"];
      const addresses = Object.fromEntries(authorizer.map((each) => [`${each}:9191`, `127.0.0.1:${pdp}`]));
      await run(podOf(GATEWAY), "router", GATEWAY, addresses, listen);
    }
    const gateways = Object.fromEntries(
      listeners.map((each) => [`${GATEWAY_IP}:${each.port}`, `127.0.0.1:${gatewayPort(each)}`]),
    );
    for (const workload of mesh.workloads) {
      await run(podOf(workload), "sidecar", workload, gateways, {
        virtualOutbound: `127.0.0.1:${sidecarPort(workload)}`,
      });
    }
    return {
      identities,
      seen: upstream.seen,
      directory,
      sidecarPort,
      gatewayPort,
      listeners,
      async records() {
        if (!existsSync(audit)) return [];
        const lines = (await readFile(audit, "utf8")).split("\n").filter((line) => line.includes('"effect"'));
        return lines.map((line) => JSON.parse(line));
      },
      close,
    };
  } catch (error) {
    const said = children.map((child) => child.output()).join("\n");
    await close();
    throw new Error(`${error instanceof Error ? error.message : error}\n${said}`);
  }
}

function serveArguments(
  mesh: MeshSet,
  { server, meshCa }: Identities,
  { pdp, admin, audit }: { readonly pdp: number; readonly admin: number; readonly audit: string },
): string[] {
  const flags = {
    policies: mesh.directory,
    listen: `127.0.0.1:${pdp}`,
    admin: `127.0.0.1:${admin}`,
    "audit-to": audit,
    "tls-certificate": server.certificate,
    "tls-key": server.key,
    "tls-client-ca": meshCa,
    "allowed-callers": spiffeId(GATEWAY),
    "drain-wait": "0ms",
    "log-level": "warn",
  };
  const main = join(import.meta.dirname, "../../src/cli/main.ts");
  return [main, "serve", ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])];
}

async function isReady(admin: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${admin}/readyz`, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Endpoints that stand for the outside: where Istio would have Envoy dial, and what answers there. */
function outsideAddresses({ set, targets }: MeshSet, upstream: Upstream): Readonly<Record<string, string>> {
  const tlsOf = (host: string) =>
    set.services.find(({ hosts }) =>
      hosts.some((each) => each === host || (each.startsWith("*.") && host.endsWith(each.slice(1)))),
    )?.tls;
  const pairs = targets.flatMap(({ host, port: { number, protocol } }): readonly (readonly [string, number])[] => {
    if (protocol === "TCP") return [[`${host}:${number}`, upstream.plainPort]];
    if (protocol === "TLS" || protocol === "HTTPS") return [[`${host}:${number}`, upstream.tlsPort]];
    const tls = tlsOf(host);
    return tls == null || tls.originate === "none"
      ? [[`${host}:${number}`, upstream.clearPort]]
      : [[`${host}:${tls.port}`, upstream.tlsPort]];
  });
  return Object.fromEntries(pairs.map(([address, port]) => [address, `127.0.0.1:${port}`]));
}
