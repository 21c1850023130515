import type { ExternalService, PortProtocol } from "../policy/model.ts";
import { gatewayPorts } from "./gateway-ports.ts";

/** How a gateway's listener takes traffic: requests, or bytes of the application's TLS, or other bytes. */
export type ListenerKind = "http" | "grpc" | "tls" | "tcp";

/** A port on which the gateway takes what applications send to one dialled port. */
export interface GatewayListener {
  readonly kind: ListenerKind;
  /** The port that the application dials, which the authorizer is told. */
  readonly dialled: number;
  /** The gateway's own port, 10001 to 20000. */
  readonly port: number;
}

export function listenerKind(protocol: PortProtocol): ListenerKind {
  switch (protocol) {
    case "HTTP":
      return "http";
    case "GRPC":
      return "grpc";
    case "HTTPS":
    case "TLS":
      return "tls";
    case "TCP":
      return "tcp";
  }
}

/** What people and objects call a listener, such as `http-80`. */
export function listenerName({ kind, dialled }: Pick<GatewayListener, "kind" | "dialled">): string {
  return `${kind}-${dialled}`;
}

/** The listeners that these services need, by name. A listener's port depends on its name alone (collisions apart). */
export function listenersOf(services: readonly ExternalService[]): ReadonlyMap<string, GatewayListener> {
  const wanted = services
    .flatMap(({ ports }) => ports)
    .map(({ number, protocol }) => ({ kind: listenerKind(protocol), dialled: number }));
  const byName = new Map(wanted.map((each) => [listenerName(each), each]));
  const ports = gatewayPorts([...byName.keys()]);
  return new Map(
    [...byName]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, { ...each, port: ports.get(name) ?? 0 }]),
  );
}

/** The name that a client says to the gateway: it tells hosts apart before anybody is asked. */
export function outerSni(kind: ListenerKind, dialled: number, host: string): string {
  return kind === "tcp" ? `tcp-${dialled}.${host}` : host;
}
