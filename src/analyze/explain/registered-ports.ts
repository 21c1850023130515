import type { Target } from "../../pdp/decision.ts";
import type { Engine } from "../../pdp/engine.ts";
import type { PolicySet, PortProtocol } from "../../policy/model.ts";
import { CHECK_KINDS, probe } from "../probe.ts";
import { scopedName } from "../scoped-name.ts";

/** A port on which some service has the host. */
export interface RegisteredPort {
  readonly service: string;
  readonly port: number;
  readonly protocol: PortProtocol;
}

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
    const { service } = engine.decide(probe(CHECK_KINDS[protocol], principal, host, number), nowMs);
    const owner = service === null ? null : set.services.find((each) => service === scopedName(each));
    // A TLS question is also answered for HTTPS, an HTTP one with this content type also for GRPC.
    const speaks = owner?.ports.some((each) => each.number === number && each.protocol === protocol) ?? false;
    return service !== null && speaks ? [{ service, port: number, protocol }] : [];
  });
  return found.sort((a, b) => a.port - b.port);
}
