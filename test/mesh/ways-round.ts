import { type Caller, requestHttp1, requestTlsInTls, sendBytes } from "../../src/cli/demo/client.ts";
import { listenerKind, listenerName, outerSni } from "../../src/generate/listeners.ts";
import type { Target, Workload } from "../support/reach.ts";
import type { MeshLab } from "./mesh-lab.ts";
import type { MeshSet } from "./mesh-set.ts";
import { tls } from "./through-sidecar.ts";

/** What came of the attempts to get round the gateway, or round its decision. */
export interface WaysRound {
  readonly all: number;
  readonly refused: number;
  readonly problems: readonly string[];
}

interface Way {
  readonly name: string;
  /** True when it leads out. */
  readonly leads: () => Promise<boolean>;
}

export async function waysRound(mesh: MeshSet, lab: MeshLab): Promise<WaysRound> {
  const ways =
    mesh.set.gateway.securityModel === "Gateway" ? [...(await gatewayWays(mesh, lab)), ...directWays(mesh, lab)] : [];
  const problems: string[] = [];
  for (const { name, leads } of ways) if (await leads()) problems.push(`a way round: ${name}`);
  return { all: ways.length, refused: ways.length - problems.length, problems };
}

/** Straight from the sidecar to the port outside that only the gateway is to dial. */
function directWays(mesh: MeshSet, lab: MeshLab): readonly Way[] {
  const dialled = new Set(mesh.targets.map(({ host, port }) => `${host}:${port.number}`));
  const hosts = [...new Set(mesh.targets.filter(({ port }) => port.protocol !== "TCP").map(({ host }) => host))];
  return hosts
    .filter((host) => !dialled.has(`${host}:443`))
    .flatMap((host) =>
      mesh.workloads.map((workload) => ({
        name: `the sidecar of ${workload.serviceAccount} takes TLS to ${host}:443 itself`,
        leads: async () =>
          (await tls(
            { sidecarPort: lab.sidecarPort(workload), address: "198.51.100.7", port: 443 },
            host,
            lab.identities.outside.cert,
          )) === "200",
      })),
    );
}

async function gatewayWays(mesh: MeshSet, lab: MeshLab): Promise<readonly Way[]> {
  const as = async (workload: Workload): Promise<Caller> => ({
    leaf: await lab.identities.leaf(workload),
    ca: lab.identities.mesh.cert,
  });
  const nobody: Caller = { leaf: null, ca: lab.identities.mesh.cert };
  const ways: Way[] = [];
  for (const target of mesh.targets.filter(({ upgrade }) => upgrade === null)) {
    const { host, port } = target;
    const kind = listenerKind(port.protocol);
    const listener = lab.listeners.find((each) => listenerName(each) === listenerName({ kind, dialled: port.number }));
    if (listener === undefined) continue;
    const at = lab.gatewayPort(listener);
    const where = `${host}:${port.number}`;
    const allowed = mesh.workloads.find((workload) => mesh.leaves(workload, target));
    const refused = mesh.workloads.find((workload) => !mesh.leaves(workload, target));
    const get = (caller: Caller, authority: string, sni: string) => async () =>
      (await requestHttp1(caller, at, "GET /x", [`host: ${authority}`], sni)).body.includes('"outside"');
    if (kind === "http") {
      ways.push({ name: `${where} without a certificate`, leads: get(nobody, host, host) });
      if (refused !== undefined)
        ways.push({
          name: `${where} by ${refused.serviceAccount}, straight at the gateway`,
          leads: get(await as(refused), host, host),
        });
      if (allowed !== undefined) {
        ways.push({
          name: `${where} with another port in Host`,
          leads: get(await as(allowed), `${host}:${port.number + 1}`, host),
        });
        ways.push({
          name: `a host that nobody registered, by the name of ${where}`,
          leads: get(await as(allowed), "elsewhere.example.org", host),
        });
        for (const other of othersOf(mesh, target))
          ways.push({ name: `${other.host} by the name of ${where}`, leads: get(await as(allowed), other.host, host) });
      }
    }
    if (kind === "tls") {
      const carry = (caller: Caller, outer: string, servername: string) => async () =>
        (await requestTlsInTls(caller, at, outer, { servername, ca: lab.identities.outside.cert })).status === 200;
      ways.push({ name: `TLS ${where} without a certificate`, leads: carry(nobody, host, host) });
      if (refused !== undefined)
        ways.push({
          name: `TLS ${where} by ${refused.serviceAccount}, with the name of others`,
          leads: carry(await as(refused), host, host),
        });
      if (allowed !== undefined) {
        for (const other of othersOf(mesh, target))
          ways.push({
            name: `TLS ${other.host} inside of ${where}`,
            leads: carry(await as(allowed), host, other.host),
          });
        ways.push({
          name: `TLS to a name that nobody registered inside of ${where}`,
          leads: carry(await as(allowed), host, "elsewhere.example.org"),
        });
      }
    }
    if (kind === "tcp" && refused !== undefined) {
      const sni = outerSni("tcp", port.number, meshName(host));
      const caller = await as(refused);
      ways.push({
        name: `${where} by ${refused.serviceAccount}: hears the server's greeting`,
        leads: async () => (await sendBytes(caller, at, "select 1\n", sni, (text) => text.includes("select"))) !== "",
      });
    }
  }
  return ways;
}

function othersOf(mesh: MeshSet, { host, port }: Target): readonly Target[] {
  return mesh.targets.filter((other) => other.host !== host && other.port.number === port.number).slice(0, 2);
}

function meshName(host: string): string {
  return /^[\d.]+$/.test(host) ? `ip-${host.replaceAll(".", "-")}.sallyport.internal` : host;
}
