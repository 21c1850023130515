import type { ExternalService, PolicySet } from "../../policy/model.ts";
import { namespacesOf, openingsOf } from "../../policy/visibility.ts";
import type { GenerateNote } from "../draft.ts";
import { isHttp, isWildcard, routedHost, serviceTitle, upstreamPorts } from "../services.ts";
import { speaksFirstNotes } from "../speaks-first.ts";
import { tlsByAddressNotes } from "../tls-by-address.ts";

/** Ports of Istio's proxy itself, of which administration and statistics are in clear on loopback. */
const OWN_PORTS = { first: 15_000, last: 15_099 };

/** What Istio cannot express, or expresses more weakly than the policies say. */
export function istioNotes(set: PolicySet, native: boolean): readonly GenerateNote[] {
  switch (set.gateway.securityModel) {
    case "AllowAny":
      return [nothingEnforced(set)];
    case "RegistryOnly":
      return set.services.flatMap((service) => [...narrower(set, service), ...directWildcards(service)]);
    case "Gateway":
      return [...gatewayNotes(set, native), ...set.services.flatMap((service) => serviceNotes(set, service))];
  }
}

function nothingEnforced({ gateway: { at } }: PolicySet): GenerateNote {
  return {
    code: "model-enforces-nothing",
    severity: "warning",
    at,
    message: "under AllowAny the mesh knows the services and stops nobody from reaching others",
    fix: "set `securityModel: Gateway` and `fallback: report` to see what would be refused",
  };
}

function narrower(set: PolicySet, service: ExternalService): readonly GenerateNote[] {
  const rules = openingsOf(set, service).filter(
    ({ rule }) =>
      (rule.from ?? []).some(({ kind }) => kind !== "namespace") ||
      (rule.to ?? []).some(
        ({ ports, methods, paths, headers }) =>
          ports !== null || methods !== null || paths !== null || headers.length > 0,
      ),
  );
  const places = namespacesOf(set, service);
  return rules.map(({ policy, rule }) => ({
    code: "narrower-than-namespace",
    severity: "warning",
    at: rule.at,
    message: `rule \`${policy.name}/${rule.name}\` is narrower than what RegistryOnly holds: \`${serviceTitle(service)}\` is open to ${places === null ? "every namespace" : `all of ${places.join(", ")}`}`,
    fix: "set `securityModel: Gateway`",
  }));
}

function directWildcards(service: ExternalService): readonly GenerateNote[] {
  const originated =
    service.ports.some(({ protocol }) => isHttp(protocol)) && service.tls !== null && service.tls.originate !== "none";
  return originated ? service.hosts.filter(isWildcard).map((host) => wildcard(service, host)) : [];
}

function wildcard(service: ExternalService, host: string): GenerateNote {
  return {
    code: "wildcard-not-expressible",
    severity: "warning",
    at: service.at,
    message: `\`${host}\` of \`${serviceTitle(service)}\` stays out of reach, but for hosts under it that a rule names`,
    fix: "name the hosts in `to` of the rules, or generate `envoy`",
  };
}

function gatewayNotes({ gateway: { at, selector, authorizer } }: PolicySet, native: boolean): readonly GenerateNote[] {
  const notes: GenerateNote[] = [];
  if (Object.keys(selector).length === 0) {
    notes.push({
      code: "no-gateway-selector",
      severity: "error",
      at,
      message: "the gateway names no labels of its pods, so its policies would hold for no gateway in particular",
      fix: "add `selector: {istio: egressgateway}`, with labels that no other pod has",
    });
  }
  if (authorizer === null && !native) {
    notes.push({
      code: "no-authorizer",
      severity: "error",
      at,
      message: "the gateway names no authorizer, so there is nobody to ask",
      fix: "add `authorizer: {service: sallyport.sallyport-system}`, or generate with `--native`",
    });
  }
  if (authorizer?.failOpen === true && !native) {
    notes.push({
      code: "fails-open",
      severity: "warning",
      at,
      message: "while the authorizer is away the gateway lets everything pass, because `failOpen: true` is written",
      fix: "remove `failOpen`",
    });
  }
  return notes;
}

function serviceNotes(set: PolicySet, service: ExternalService): readonly GenerateNote[] {
  const { hosts, ports, tls, addresses, mirror, at } = service;
  const title = serviceTitle(service);
  const notes: GenerateNote[] = [
    ...hosts.filter(isWildcard).map((host) => wildcard(service, host)),
    ...tlsByAddressNotes(service),
    ...speaksFirstNotes(service),
    ...routing(set, service),
  ];
  const warn = (code: GenerateNote["code"], message: string, fix: string): void => {
    notes.push({ code, severity: "warning", at, message, fix });
  };
  if (tls?.originate === "sidecar" && ports.some(({ protocol }) => isHttp(protocol))) {
    warn(
      "originates-at-sidecar",
      `\`${title}\` is left out where the sidecar makes TLS of HTTP: the gateway would see no request to decide on`,
      "write `originate: gateway`",
    );
  }
  if (
    addresses.length === 0 &&
    ports.some(({ protocol }) => protocol === "TCP") &&
    hosts.some((host) => !/^[\d.]+$|^\[/.test(host))
  ) {
    warn(
      "tcp-without-addresses",
      `in the namespaces that see \`${title}\`, whatever dials its TCP port is taken to mean it`,
      "list its `addresses`",
    );
  }
  const own = upstreamPorts(service).filter((port) => port >= OWN_PORTS.first && port <= OWN_PORTS.last);
  if (own.length > 0) {
    notes.push({
      code: "gateway-own-port",
      severity: "error",
      at,
      message: `\`${title}\` is reached on port ${own.join(", ")}, which the gateway's own proxy serves on loopback: a name that led there would reach its administration`,
      fix: "reach the service on another port, or generate `envoy`, which checks the address that it connects to",
    });
  }
  if (mirror !== null) {
    warn(
      "not-expressible",
      `copies of requests to \`${title}\` keep its host in their Host header; only the name in TLS is the other's`,
      "generate `envoy`, or let the other service answer to this name",
    );
  }
  if (tls?.credentialName != null && tls.caCertificates?.startsWith("/") === false) {
    notes.push({
      code: "not-expressible",
      severity: "error",
      at,
      message: `\`${title}\` takes its client certificate and the server's authorities from two secrets, and Istio reads one`,
      fix: "put the authorities into the secret of `credentialName` as `ca.crt`, and leave out `caCertificates`",
    });
  }
  return notes;
}

/** Traffic that is sent on to a service of several hosts leads to none of them in particular. */
function routing(set: PolicySet, service: ExternalService): readonly GenerateNote[] {
  const targets = [
    ...service.split.map((each) => each.service),
    ...(service.mirror === null ? [] : [service.mirror.service]),
  ];
  return targets.flatMap((ref): readonly GenerateNote[] => {
    const other = set.services.find(({ scope, name }) => scope === ref.scope && name === ref.name);
    const dialled = service.ports.filter(({ protocol }) => isHttp(protocol)).map(({ number }) => number);
    const fits =
      other !== undefined &&
      service.hosts.every((host) => routedHost(other, host) !== null) &&
      dialled.every((number) => other.ports.some((port) => port.number === number && isHttp(port.protocol)));
    if (fits) return [];
    return [
      {
        code: "ambiguous-route",
        severity: "error",
        at: service.at,
        message: `\`${serviceTitle(service)}\` sends traffic on to \`${serviceTitle(ref)}\`, which has not the same host or exactly one, on the same port`,
        fix: "name a service with one host that has the port",
      },
    ];
  });
}
