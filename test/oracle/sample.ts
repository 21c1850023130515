import type { PlacedDocument, Rule } from "./documents.ts";
import type { HeaderPair, Request } from "./target.ts";

/** The gateway document of a sample set; the root namespace is `egress`. */
export function gateway(spec: Readonly<Record<string, unknown>> = {}): PlacedDocument {
  return { place: "", doc: { kind: "EgressGateway", metadata: { name: "gw", namespace: "egress" }, spec } };
}

/** A service; `ports` are written `80/HTTP`. */
export function service(place: string, name: string, hosts: readonly string[], ports: readonly string[], more = {}) {
  const written = ports.map((port) => ({ number: Number(port.split("/")[0]), protocol: port.split("/")[1] }));
  return { place, doc: { kind: "ExternalService", metadata: { name }, spec: { hosts, ports: written, ...more } } };
}

/** A group. */
export function group(place: string, name: string, members: readonly unknown[], fallback?: string): PlacedDocument {
  const spec = fallback === undefined ? { members } : { members, fallback };
  return { place, doc: { kind: "IdentityGroup", metadata: { name }, spec } };
}

/** A policy; at the top it is the root's. */
export function policy(place: string, name: string, rules: readonly Rule[], mode = "enforce"): PlacedDocument {
  const metadata = place === "" ? { name, namespace: "egress" } : { name };
  return { place, doc: { kind: "EgressPolicy", metadata, spec: { owner: "o@example.com", mode, rules } } };
}

/** `GET http://api.example.com/`, named port 80, by `shop/cart` of the own domain, changed as told. */
export function request(change: Partial<Request> = {}): Request {
  const principal = "spiffe://cluster.local/ns/shop/sa/cart";
  return {
    kind: "http",
    principal,
    host: "api.example.com",
    port: "80",
    method: "GET",
    path: "/",
    headers: [],
    ...change,
  };
}

/** Headers of a well-formed upgrade. */
export function upgrading(protocol: string): HeaderPair[] {
  return [
    ["connection", "Upgrade"],
    ["upgrade", protocol],
  ];
}
