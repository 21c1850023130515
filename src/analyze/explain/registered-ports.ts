import type { CheckInput, CheckKind, Target } from "../../pdp/decision.ts";
import type { Engine } from "../../pdp/engine.ts";
import type { PolicySet, PortProtocol } from "../../policy/model.ts";

/** A port on which some service has the host. */
export interface RegisteredPort {
  readonly service: string;
  readonly port: number;
  readonly protocol: PortProtocol;
}

const KINDS: Readonly<Record<PortProtocol, CheckKind>> = {
  HTTP: "http",
  GRPC: "http",
  TLS: "tls",
  HTTPS: "tls",
  TCP: "tcp",
};

/**
 * On which ports of the set a host is registered for the workload: the engine is asked about each of them, as each protocol
 * would be asked for. Sorted by port.
 */
export function registeredPorts(
  engine: Engine,
  set: PolicySet,
  principal: string,
  host: Target["host"],
  nowMs: number,
): RegisteredPort[] {
  const ports = new Map(
    set.services.flatMap((each) => each.ports.map((port) => [`${port.number}/${port.protocol}`, port] as const)),
  );
  const found = [...ports.values()].flatMap(({ number, protocol }): RegisteredPort[] => {
    const { service } = engine.decide(question(principal, host, number, protocol), nowMs);
    const owner =
      service === null
        ? null
        : set.services.find(({ scope, name }) => service === (scope === "" ? name : `${scope}/${name}`));
    // A TLS question is also answered for HTTPS, an HTTP one with this content type also for GRPC.
    const speaks = owner?.ports.some((each) => each.number === number && each.protocol === protocol) ?? false;
    return service !== null && speaks ? [{ service, port: number, protocol }] : [];
  });
  return found.sort((a, b) => a.port - b.port);
}

function question(principal: string, host: string, port: number, protocol: PortProtocol): CheckInput {
  const kind = KINDS[protocol];
  const http = kind === "http";
  const headers: CheckInput["headers"] = http ? [["content-type", "application/grpc"]] : [];
  return { kind, principal, host, port: String(port), method: http ? "POST" : "", path: http ? "/" : "", headers };
}
