import ipaddr from "ipaddr.js";
import type { Canonicaliser } from "./canonicaliser.ts";
import { parseDurationMs } from "./duration.ts";
import { parseHostPattern } from "./host-pattern.ts";
import type { ExternalService, Scope, ServicePort, ServiceRef, TlsOrigination } from "./model.ts";
import type { RawDocumentOf } from "./raw-document.ts";
import { positionOf, type Reporter } from "./reporter.ts";

type ServiceDocument = RawDocumentOf<"ExternalService">;

/** Well-known protocols in which the server speaks first: nothing to decide on arrives before its banner. */
const SERVER_FIRST: ReadonlySet<number> = new Set([21, 22, 25, 110, 143, 587, 3306]);

/** A service whose mirror and split name other services; resolved when all services are known. */
export interface UnresolvedService {
  readonly service: ExternalService;
  readonly document: ServiceDocument;
}

/** Checks hosts, ports and what only root documents may say. */
export function buildService(
  document: ServiceDocument,
  scope: Scope,
  clusterDomain: string,
  canon: Canonicaliser,
  reporter: Reporter,
): UnresolvedService {
  const { spec } = document;
  if (scope !== "") refusePrivileges(document, reporter);
  const hosts = new Set<string>();
  for (const [i, text] of spec.hosts.entries()) {
    const path = ["spec", "hosts", i];
    const parsed = reporter.take(document, path, "invalid-host", parseHostPattern(text, canon, clusterDomain));
    if (parsed === null) continue;
    if (hosts.has(parsed.pattern))
      reporter.report(document, path, "duplicate-entry", `host \`${text}\` is listed twice`);
    if (parsed.guarded && !(spec.internal && scope === "" && !parsed.pattern.startsWith("*."))) {
      const message = `\`${text}\` is guarded: only a root service with \`internal: true\` that lists it literally opens it`;
      reporter.report(document, path, "guarded-host", message);
    }
    hosts.add(parsed.pattern);
  }
  const service: ExternalService = {
    scope,
    name: document.name,
    at: positionOf(document),
    hosts: [...hosts].sort(),
    ports: buildPorts(document, reporter),
    tls: buildTls(document, scope, [...hosts], reporter),
    connections: spec.connections === undefined ? null : buildConnections(document, spec.connections, reporter),
    mirror: null,
    split: [],
    addresses: buildAddresses(document, reporter),
    internal: spec.internal,
  };
  return { service, document };
}

function refusePrivileges(document: ServiceDocument, reporter: Reporter): void {
  const { spec } = document;
  const refuse = (key: string, why: string): void => {
    reporter.report(document, ["spec", key], "root-only", `only the root namespace may set \`${key}\`: ${why}`);
  };
  if (spec.mirror !== undefined) refuse("mirror", "it copies traffic to another service");
  if (spec.split !== undefined) refuse("split", "it sends traffic to other services");
  if (spec.addresses !== undefined) refuse("addresses", "it claims addresses");
  if (spec.internal) refuse("internal", "it lifts the guard over internal targets");
}

function buildPorts(document: ServiceDocument, reporter: Reporter): readonly ServicePort[] {
  const ports = new Map<number, ServicePort>();
  for (const [i, port] of document.spec.ports.entries()) {
    const path = ["spec", "ports", i, "number"];
    if (ports.has(port.number)) {
      reporter.report(document, path, "duplicate-entry", `port ${port.number} is listed twice`);
    }
    if (port.protocol === "TCP" && SERVER_FIRST.has(port.number)) {
      const message = `on port ${port.number} servers usually speak first: nothing passes before the client has sent something`;
      reporter.report(document, path, "server-first-port", message);
    }
    ports.set(port.number, { number: port.number, protocol: port.protocol });
  }
  return [...ports.values()].sort((a, b) => a.number - b.number);
}

function buildTls(
  document: ServiceDocument,
  scope: Scope,
  hosts: readonly string[],
  reporter: Reporter,
): TlsOrigination | null {
  const { tls } = document.spec;
  if (tls === undefined) return null;
  if (scope !== "") {
    const foreign = tls.subjectAltNames.find((name) => !hosts.includes(name));
    const refused =
      tls.originate === "none"
        ? "`originate: none`"
        : tls.credentialName !== undefined
          ? "`credentialName`"
          : tls.caCertificates !== undefined
            ? "`caCertificates`"
            : foreign === undefined
              ? null
              : `the name \`${foreign}\`, which is none of its hosts,`;
    if (refused !== null) {
      const message = `only the root namespace may set ${refused} in \`tls\`: a namespace originates verified TLS to its own hosts`;
      reporter.report(document, ["spec", "tls"], "root-only", message);
    }
  }
  return {
    originate: tls.originate,
    port: tls.port,
    subjectAltNames: tls.subjectAltNames.toSorted(),
    minVersion: tls.minVersion,
    credentialName: tls.credentialName ?? null,
    caCertificates: tls.caCertificates ?? null,
  };
}

function buildConnections(
  document: ServiceDocument,
  spec: NonNullable<ServiceDocument["spec"]["connections"]>,
  reporter: Reporter,
): ExternalService["connections"] {
  const path = ["spec", "connections", "idleTimeout"];
  const idleTimeoutMs = reporter.take(document, path, "invalid-duration", parseDurationMs(spec.idleTimeout)) ?? 300_000;
  return { maxRequestsPerConnection: spec.maxRequestsPerConnection, idleTimeoutMs, share: spec.share };
}

function buildAddresses(document: ServiceDocument, reporter: Reporter): readonly string[] {
  const { addresses = [] } = document.spec;
  for (const [i, text] of addresses.entries()) {
    if (isAddressOrRange(text)) continue;
    reporter.report(
      document,
      ["spec", "addresses", i],
      "invalid-address",
      `\`${text}\` is not an address or CIDR range`,
    );
  }
  return [...new Set(addresses)].sort();
}

/** Four plain decimals or IPv6, without a zone; alone or as a range. */
function isAddressOrRange(text: string): boolean {
  const address = /^([^/%]+)(\/\d{1,3})?$/.exec(text)?.[1] ?? "";
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return false;
  return address === text || ipaddr.isValidCIDR(text);
}

/** Fills in the services that mirror and split name. */
export function resolveRouting(
  { service, document }: UnresolvedService,
  find: (name: string) => ExternalService | null,
  reporter: Reporter,
): ExternalService {
  const { mirror, split = [] } = document.spec;
  const resolve = (name: string, path: readonly (string | number)[]): ServiceRef | null => {
    const found = find(name);
    if (found !== null) return { scope: found.scope, name: found.name };
    reporter.report(document, path, "unknown-service", `there is no service \`${name}\``);
    return null;
  };
  const mirrored = mirror === undefined ? null : resolve(mirror.service, ["spec", "mirror", "service"]);
  const routes = split.flatMap(({ service: name, weight }, i) => {
    const ref = resolve(name, ["spec", "split", i, "service"]);
    return ref === null ? [] : [{ service: ref, weight }];
  });
  const total = split.reduce((sum, { weight }) => sum + weight, 0);
  if (split.length > 0 && total !== 100) {
    reporter.report(
      document,
      ["spec", "split"],
      "split-weights",
      `the weights of \`split\` add up to ${total}, not 100`,
    );
  }
  return {
    ...service,
    mirror: mirrored === null || mirror === undefined ? null : { service: mirrored, percent: mirror.percent },
    split: routes,
  };
}
