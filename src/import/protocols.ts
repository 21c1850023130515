import type { PortProtocol } from "../policy/model.ts";

const PROTOCOLS: Readonly<Record<string, PortProtocol>> = {
  HTTP: "HTTP",
  HTTP2: "HTTP",
  "GRPC-WEB": "HTTP",
  GRPC: "GRPC",
  HTTPS: "TLS",
  TLS: "TLS",
  TCP: "TCP",
  MONGO: "TCP",
  MYSQL: "TCP",
  REDIS: "TCP",
};

/** What the gateway sees on a port of Istio's registry; null for a protocol that Istio does not know. */
export function protocolOf(text: string): PortProtocol | null {
  const name = text.toUpperCase();
  return Object.hasOwn(PROTOCOLS, name) ? (PROTOCOLS[name] ?? null) : null;
}
