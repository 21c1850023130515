/** The small world that sets and requests are drawn from: small, so that rules collide and requests match. */

export const ROOT_NAMESPACE = "egress";
/** Scopes of documents; `""` is the root. */
export const SCOPES = ["", "", "shop", "shop", "till"] as const;
/** Namespaces that may be refused. */
export const REFUSABLE = ["broken", "till"] as const;
export const NAMESPACES = ["shop", "shop", "shop", "till", "till", ROOT_NAMESPACE, "broken"] as const;
export const ACCOUNTS = ["cart", "pay"] as const;
export const FEDERATED = "partner.example";

export const HOSTS = [
  "api.example.com",
  "x.api.example.com",
  "example.com",
  "a_b.x.example.com",
  "www.example.org",
] as const;
const WILDCARDS = ["*.example.com", "*.api.example.com", "*.x.api.example.com", "*.example.org"] as const;
export const PATTERNS = [...HOSTS, ...WILDCARDS] as const;
/** Hosts that only an internal root service opens. */
export const INTERNAL = [
  "10.0.0.1",
  "[2001:db8::1]",
  "intranet",
  "vault.corp.svc",
  "wiki.shop.svc.cluster.local",
] as const;

export const PORTS = [80, 443, 8080] as const;
export const PROTOCOLS = ["HTTP", "HTTP", "HTTP", "GRPC", "TLS", "HTTPS", "TCP"] as const;

export const METHODS = ["GET", "POST", "PURGE"] as const;
export const PATH_PATTERNS = [
  ...["/", "/a", "/a/b", "/a/{*}", "/a/{**}", "/{*}/b", "/{**}", "/{*}/{*}/{**}", "/a*", "/a/*", "/*", "*"],
  ...["/é", "/a b", "/a/", "/A", "/a/{*}/c"],
] as const;
export const HEADER_NAMES = ["x-team", "x-env", "content-type"] as const;
export const HEADER_VALUES = ["a", "b", "application/grpc", "", "é"] as const;
export const UPGRADES = ["websocket", "h2c", "foo/2"] as const;

/** Where windows begin and end, in ms around this instant. */
export const EPOCH_MS = Date.parse("2026-11-23T12:00:00Z");
export const BOUNDARIES_MS = [-86_400_000, -1000, -1, 0, 1, 1500, 86_400_000].map((offset) => EPOCH_MS + offset);

/** The element at any natural index. */
export function pick<T>(list: readonly T[], index: number): T {
  const found = list[index % list.length];
  if (found === undefined) throw new Error("nothing to pick from");
  return found;
}

/** Does a wildcard or equal pattern hold the other pattern or host? */
export function covers(wide: string, narrow: string): boolean {
  return (
    wide === narrow || (wide.startsWith("*.") && narrow.length > wide.length - 1 && narrow.endsWith(wide.slice(1)))
  );
}
