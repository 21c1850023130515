import type { ExternalService, PolicySet, ServicePort } from "../../policy/model.ts";
import { openingsOf } from "../../policy/visibility.ts";
import { isHttp, isTls, isWildcard, objectName } from "../services.ts";

/** One host and port as applications dial it, and the port of the gateway that stands for both. */
export interface Leg {
  /** Names the objects of this leg. */
  readonly name: string;
  readonly host: string;
  readonly dialled: ServicePort;
  /** The port that the gateway dials. */
  readonly upstream: number;
  readonly originates: boolean;
}

/** The legs of a service, by host, then port. */
export function legsOf(service: ExternalService): readonly Leg[] {
  const { tls, ports } = service;
  return [...service.hosts].sort().flatMap((host, index) =>
    ports.map((dialled): Leg => {
      const originates = tls?.originate === "gateway" && isHttp(dialled.protocol);
      return {
        name: `${objectName(service)}-${index}-${dialled.number}`,
        host,
        dialled,
        upstream: originates && tls !== null ? tls.port : dialled.number,
        originates,
      };
    }),
  );
}

export function keyOf({ host, dialled }: Leg): string {
  return `${host}:${dialled.number}`;
}

/** Why Gateway API cannot hold a service as strictly as its policies ask; null if it can. */
export function reasonAgainst(set: PolicySet, service: ExternalService): string | null {
  const { gateway } = set;
  const { hosts, ports, tls, connections, mirror, split, internal, addresses } = service;
  if (gateway.securityModel !== "Gateway") return "its routes all lead through a gateway";
  if (hosts.some(isWildcard)) return "a Hostname backend is one host";
  if (internal) return "it lies inside the cluster's networks";
  if (addresses.length > 0 || !ports.every(({ protocol }) => isHttp(protocol) || isTls(protocol))) {
    return "no route matches TCP by address";
  }
  if (mirror !== null || split.length > 0) return "mirrors and splits need certificates' names of several hosts";
  if (openingsOf(set, service).some(({ rule }) => rule.upgrades.length > 0)) {
    return "upgraded connections need a pool of their own, and all routes to one host share one";
  }
  if (connections?.share === "workload") return "all workloads share the gateway's connections to one host";
  if (tls === null || tls.originate === "none") return null;
  if (tls.originate === "sidecar") return "the sidecar would speak TLS, which a route for HTTP does not match";
  return tls.minVersion === "TLSV1_3" ? "no object says the lowest TLS version of one host" : null;
}
