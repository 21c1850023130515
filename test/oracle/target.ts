/** The oracle, part 3: docs/semantics.md §3 with "Host syntax", "Guarded names" and "Ownership" of §7. What is asked for. */
import type { Service, World } from "./documents.ts";

export type HeaderPair = readonly [name: string, value: string | Uint8Array];

/** A question, raw. The same shape as the product's. */
export interface Request {
  readonly kind: "http" | "tls" | "tcp";
  readonly principal: string;
  readonly host: string;
  readonly port: string | null;
  readonly method: string;
  readonly path: string;
  readonly headers: readonly HeaderPair[];
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** All values of a header as text with one character a byte (the first 256 code points; a string's own beyond them). */
export function headerBytes(request: Request, name: string): string[] {
  return request.headers
    .filter(([each]) => each === name)
    .map(([, value]) =>
      typeof value === "string" ? value : Array.from(value, (byte) => String.fromCharCode(byte)).join(""),
    );
}

/** What Envoy will route, or null = `invalid-target`. */
export function parseTarget(request: Request): Target | null {
  const named = request.port === null ? null : parsePort(request.port);
  if (request.port !== null && named === null) return null;
  if (request.kind !== "http") {
    const host = canonicalHost(request.host);
    const port = named ?? (request.kind === "tls" ? 443 : null);
    return host === null || port === null ? null : { host, port };
  }
  const target = parseAuthority(request.host, named);
  for (const value of headerBytes(request, "host")) {
    const other = parseAuthority(value, named);
    if (other === null || other.host !== target?.host || other.port !== target.port) return null;
  }
  return target;
}

function parseAuthority(text: string, named: number | null): Target | null {
  const [, name, explicit] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text) ?? [];
  const host = canonicalHost(name ?? "");
  const port = explicit === undefined ? (named ?? 80) : parsePort(explicit);
  if (host === null || port === null || (named !== null && port !== named)) return null;
  return { host, port };
}

function parsePort(text: string): number | null {
  return /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65535 ? Number(text) : null;
}

function canonicalHost(text: string): string | null {
  if (/[^!-~]/.test(text)) return null;
  const lower = text.toLowerCase();
  if (lower.startsWith("[")) return lower.endsWith("]") ? canonicalIpv6(lower.slice(1, -1)) : null;
  const name = lower.endsWith(".") ? lower.slice(0, -1) : lower;
  if (octets(name) !== null) return name;
  const labels = name.split(".");
  const fine = labels.every(
    (label, index) =>
      /^[a-z0-9_-]{1,63}$/.test(label) &&
      !label.startsWith("-") &&
      !label.endsWith("-") &&
      !(label.includes("_") && index >= labels.length - 2),
  );
  const address = /^([0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "");
  return fine && !address && name.length <= 253 ? name : null;
}

/** The four numbers of a canonical dotted quad. */
function octets(text: string): number[] | null {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255)
    ? parts.map(Number)
    : null;
}

/** RFC 4291 §2.2 in, RFC 5952 out, brackets included. */
function canonicalIpv6(text: string): string | null {
  const [before, after, ...more] = text.split("::");
  if (before === undefined || more.length > 0) return null;
  const head = ipv6Groups(before, after === undefined);
  const tail = ipv6Groups(after ?? "", true);
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (after === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail];
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.length < 2) return `[${hex.join(":")}]`;
  return `[${hex.slice(0, best.start).join(":")}::${hex.slice(best.start + best.length).join(":")}]`;
}

function ipv6Groups(text: string, last: boolean): number[] | null {
  if (text === "") return [];
  const parts = text.split(":");
  const quad = last ? octets(parts.at(-1) ?? "") : null;
  if (quad !== null) parts.pop();
  if (!parts.every((part) => /^[0-9a-f]{1,4}$/.test(part))) return null;
  const [a = 0, b = 0, c = 0, d = 0] = quad ?? [];
  return [...parts.map((part) => Number.parseInt(part, 16)), ...(quad === null ? [] : [a * 256 + b, c * 256 + d])];
}

/** CONNECT, also the extended one. */
export function isConnect(request: Request): boolean {
  return (
    request.kind === "http" && (request.method === "CONNECT" || request.headers.some(([name]) => name === ":protocol"))
  );
}

const METADATA = [
  "metadata.google.internal",
  "metadata.goog",
  "instance-data.ec2.internal",
  "metadata.azure.internal",
  "metadata.tencentyun.com",
  "metadata.platformequinix.com",
  "metadata.packet.net",
];

/** Is the host one that only an internal root service, listing it literally, opens? */
export function isGuarded(world: World, host: string): boolean {
  const address = host.startsWith("[") || octets(host) !== null;
  const under = ["localhost", "cluster.local", world.clusterDomain, ...METADATA];
  const name =
    !host.includes(".") || host.endsWith(".svc") || under.some((each) => host === each || host.endsWith(`.${each}`));
  return (address || name) && !world.services.some(({ internal, hosts }) => internal && hosts.includes(host));
}

/** `*.example.com` = one or more labels, never the apex. */
export function hostMatches(pattern: string, host: string): boolean {
  if (!pattern.startsWith("*.")) return pattern === host;
  return !host.startsWith("[") && host.length > pattern.length - 1 && host.endsWith(pattern.slice(1));
}

/** Equal, or a wildcard over the other pattern. */
export function patternCovers(wide: string, narrow: string): boolean {
  return wide === narrow || (wide.startsWith("*.") && hostMatches(wide, narrow));
}

export interface Owner {
  readonly service: Service;
  readonly pattern: string;
  readonly protocol: string;
}

/** The most specific pattern among these services that matches the host and lists the port. */
export function findOwner(services: readonly Service[], { host, port }: Target): Owner | null {
  let best: Owner | null = null;
  for (const service of services) {
    const protocol = service.ports.find(({ number }) => number === port)?.protocol;
    if (protocol === undefined) continue;
    for (const pattern of service.hosts) {
      if (hostMatches(pattern, host) && (best === null || moreSpecific(pattern, best.pattern))) {
        best = { service, pattern, protocol };
      }
    }
  }
  return best;
}

function moreSpecific(one: string, other: string): boolean {
  if (one.startsWith("*.") !== other.startsWith("*.")) return other.startsWith("*.");
  return one.length > other.length;
}

/** Does the owning port speak what the Check asks about? */
export function protocolFits({ protocol }: Owner, request: Request): boolean {
  if (request.kind === "tls") return protocol === "TLS" || protocol === "HTTPS";
  if (request.kind === "tcp") return protocol === "TCP";
  if (protocol !== "GRPC") return protocol === "HTTP";
  const [contentType, ...more] = headerBytes(request, "content-type");
  return contentType?.startsWith("application/grpc") === true && more.length === 0;
}
