import type { EgressGateway, ExternalService, PolicySet } from "../../policy/model.ts";
import type { Generated, GenerateNote, GenerateOptions, Target } from "../draft.ts";
import { resolveFilter } from "../envoy-parts/filter-code.ts";
import { GUARDED_RANGES } from "../public-addresses.ts";
import { serviceTitle } from "../services.ts";
import { speaksFirstNotes } from "../speaks-first.ts";
import { tlsByAddressNotes } from "../tls-by-address.ts";
import { envoyBootstrap } from "./bootstrap.ts";
import { isNamelessWildcard, originatesAtSidecar } from "./outlet.ts";
import { createOutlets, type Outlets } from "./outlets.ts";
import type { EnvoySettings } from "./settings.ts";

/** A whole gateway for Envoy alone, without Istio. */
export const envoyTarget: Target = {
  name: "envoy",
  summary: "a complete bootstrap for a standalone Envoy gateway",
  generate(set, options): Generated {
    const { gateway } = set;
    const problem = reasonAgainst(gateway);
    if (problem !== null) return { files: [], notes: [problem] };
    const settings = standardSettings(gateway, options);
    if (settings === null) return { files: [], notes: [noAuthorizer(gateway)] };
    const notes = [
      ...(settings.authorizer.failOpen ? [failsOpen(gateway)] : []),
      ...serviceNotes(set, createOutlets(set)),
    ];
    if (notes.some(({ severity }) => severity === "error")) return { files: [], notes };
    const file = {
      path: "envoy.yaml",
      purpose:
        gateway.seat === "server"
          ? "Start Envoy with `-c` this file: a gateway that asks the authorizer about everything and dials nothing before the answer."
          : "Start Envoy with `-c` this file: a gateway that decides requests itself by the authorizer's policies, asks about connections, and dials nothing before.",
      sources: [gateway.at.file, ...set.services.map(({ at }) => at.file)],
      inputs: {
        gateway,
        filter: settings.seat?.filter ?? null,
        services: set.services,
        upgrades: set.policies.flatMap(({ rules }) => rules.map(({ upgrades }) => upgrades)),
      },
      documents: [envoyBootstrap(set, settings)],
    };
    return { files: [file], notes };
  },
};

/**
 * Files under `/etc/sallyport`: `tls/tls.crt` and `tls/tls.key` (the gateway's own certificate), `trust/<trust domain>.pem`
 * (its roots), `credentials/<name>/` (secrets). Outside servers are verified with the system's roots. Administration is the
 * Unix socket `/run/sallyport/envoy-admin.sock`; the access log goes to standard output.
 */
function standardSettings(
  { authorizer, clusterDomain, trustDomains, seat, filter, publicKeys }: EgressGateway,
  options: GenerateOptions,
): EnvoySettings | null {
  if (authorizer === null) return null;
  const [name = "", namespace = ""] = authorizer.service.split(".");
  const { port, timeoutMs, failOpen } = authorizer;
  return {
    listenAddress: "0.0.0.0",
    portOf: (listener) => listener.port,
    authorizer: {
      address: `${name}.${namespace}.svc.${clusterDomain}`,
      port,
      timeoutMs,
      failOpen,
      spiffeId: `spiffe://${trustDomains[0]}/ns/${namespace}/sa/${name}`,
    },
    seat: seat === "gateway" ? { filter: resolveFilter(filter, options), publicKeys, standIn: null } : null,
    certificate: "/etc/sallyport/tls/tls.crt",
    key: "/etc/sallyport/tls/tls.key",
    trustBundle: (domain) => `/etc/sallyport/trust/${domain}.pem`,
    laxRoots: null,
    outsideRoots: "/etc/ssl/certs/ca-certificates.crt",
    credentials: "/etc/sallyport/credentials",
    dnsServer: null,
    guardedRanges: GUARDED_RANGES,
    standIn: null,
    requestsPerSecond: 1_000,
    maxConnections: 50_000,
    adminSocket: "/run/sallyport/envoy-admin.sock",
    accessLog: "/dev/stdout",
  };
}

function reasonAgainst({ at, securityModel }: EgressGateway): GenerateNote | null {
  if (securityModel === "Gateway") return null;
  return {
    code: "not-expressible",
    severity: "warning",
    at,
    message: `under ${securityModel} no gateway is in the path, so there is none to configure`,
    fix: "set `securityModel: Gateway`",
  };
}

function noAuthorizer({ at }: EgressGateway): GenerateNote {
  return {
    code: "no-authorizer",
    severity: "error",
    at,
    message: "the gateway names no authorizer, so there is nobody to ask",
    fix: "add `authorizer: {service: sallyport.sallyport-system, port: 9191, timeout: 250ms}`",
  };
}

function failsOpen({ at }: EgressGateway): GenerateNote {
  return {
    code: "fails-open",
    severity: "warning",
    at,
    message: "while the authorizer is away the gateway lets everything pass, because `failOpen: true` is written",
    fix: "remove `failOpen`",
  };
}

function serviceNotes(set: PolicySet, outlets: Outlets): readonly GenerateNote[] {
  return set.services.flatMap((service) => [
    ...(service.ports.some((port) => originatesAtSidecar(service, port)) ? [hiddenBySidecar(service)] : []),
    ...service.hosts
      .filter((host) => service.ports.some(({ protocol }) => isNamelessWildcard(service, host, protocol)))
      .map((host) => namelessWildcard(service, host)),
    ...tlsByAddressNotes(service),
    ...speaksFirstNotes(service),
    ...routingProblems(outlets, service),
    ...(outlets.isCopy(service) && service.connections?.share === "workload" ? [sharedCopies(service)] : []),
  ]);
}

function hiddenBySidecar(service: ExternalService): GenerateNote {
  return {
    code: "originates-at-sidecar",
    severity: "warning",
    at: service.at,
    message: `\`${serviceTitle(service)}\` is left out where the sidecar makes TLS of HTTP: the gateway would see no request to decide on`,
    fix: "write `originate: gateway`",
  };
}

function namelessWildcard(service: ExternalService, host: string): GenerateNote {
  return {
    code: "wildcard-not-expressible",
    severity: "warning",
    at: service.at,
    message: `\`${host}\` of \`${serviceTitle(service)}\` is left out for TCP and for HTTP in clear: nothing there says which of its hosts a connection is for`,
    fix: "list the hosts, or for HTTP write `originate: gateway`",
  };
}

/** Traffic that is sent on to a service of several hosts leads to none of them in particular. */
function routingProblems(outlets: Outlets, service: ExternalService): readonly GenerateNote[] {
  const { mirror, split } = service;
  const targets = [...split.map((each) => each.service), ...(mirror === null ? [] : [mirror.service])];
  return targets
    .filter((target) =>
      outlets.all.some(
        (outlet) => outlet.service === service && outlet.kind !== "tls" && outlets.routed(target, outlet) === null,
      ),
    )
    .map((target) => ({
      code: "ambiguous-route",
      severity: "error",
      at: service.at,
      message: `\`${serviceTitle(service)}\` sends traffic on to \`${serviceTitle(target)}\`, which has not the same host or exactly one, on the same port`,
      fix: "name a service with one host that has the port",
    }));
}

function sharedCopies(service: ExternalService): GenerateNote {
  return {
    code: "not-expressible",
    severity: "error",
    at: service.at,
    message: `copies that are sent on to \`${serviceTitle(service)}\` have no workload to keep connections apart by, which \`share: workload\` asks for`,
    fix: "leave out `share: workload` or the mirror",
  };
}
