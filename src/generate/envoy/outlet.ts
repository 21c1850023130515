import type { ExternalService, PortProtocol, ServicePort, TlsOrigination } from "../../policy/model.ts";
import { type ListenerKind, listenerKind } from "../listeners.ts";
import { isTlsByAddress } from "../public-addresses.ts";
import { isHttp, isWildcard, serviceTitle } from "../services.ts";

/** One way out: a host of a service on a dialled port, and what the gateway makes of it. */
export interface Outlet {
  readonly service: ExternalService;
  readonly host: string;
  readonly kind: ListenerKind;
  readonly dialled: number;
  /** The port that the gateway dials. */
  readonly port: number;
  /** Null where the gateway speaks no TLS of its own. */
  readonly tls: TlsOrigination | null;
}

/**
 * The ways out of a service by dialled port, then host. None on ports whose TLS the sidecar would make, since only requests
 * are decided there; none to a wildcard that nothing would say the one host of.
 */
export function outletsOf(service: ExternalService): readonly Outlet[] {
  return service.ports
    .filter((port) => !originatesAtSidecar(service, port))
    .flatMap(({ number, protocol }) =>
      service.hosts.flatMap((host): readonly Outlet[] => {
        if (isNamelessWildcard(service, host, protocol) || isTlsByAddress(host, protocol)) return [];
        const tls = isHttp(protocol) && service.tls?.originate === "gateway" ? service.tls : null;
        const kind = listenerKind(protocol);
        return [{ service, host, kind, dialled: number, port: tls === null ? number : tls.port, tls }];
      }),
    );
}

/** A wildcard of which nothing would say the one host that is meant: requests in clear share connections, and TCP names none. */
export function isNamelessWildcard({ tls }: ExternalService, host: string, protocol: PortProtocol): boolean {
  return isWildcard(host) && (protocol === "TCP" || (isHttp(protocol) && tls?.originate !== "gateway"));
}

export function originatesAtSidecar({ tls }: ExternalService, { protocol }: ServicePort): boolean {
  return isHttp(protocol) && tls?.originate === "sidecar";
}

/** The name of an outlet's cluster: requests to one host share it, whatever port the application dialled. */
export function clusterName({ service, host, kind, port, tls }: Outlet, upgrades = false): string {
  const scheme = kind === "grpc" ? "grpc" : kind;
  return `${tls === null ? scheme : `${scheme}s`}/${serviceTitle(service)}/${host}/${port}${upgrades ? "/upgrades" : ""}`;
}

/** The authority that the server outside sees: its host, with the port where the scheme does not imply it. */
export function authorityOf({ host, port, tls }: Outlet): string {
  return port === (tls === null ? 80 : 443) ? host : `${host}:${port}`;
}

/** Is it bytes that the gateway forwards, rather than requests? */
export function isBytes({ kind }: Outlet): boolean {
  return kind === "tls" || kind === "tcp";
}
