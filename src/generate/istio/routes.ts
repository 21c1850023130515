import type { ExternalService, PolicySet, ServiceRef } from "../../policy/model.ts";
import { hostCidr } from "../public-addresses.ts";
import { objectName, routedHost } from "../services.ts";
import { isRequest, type Leg, label, requestSubset, upgrades } from "./leg.ts";
import { gatewayHost, type IstioObject, istioObject } from "./objects.ts";
import { exportTo } from "./registry.ts";

/** What the mesh adds to requests and nobody outside is to know. */
const OURS = ["x-forwarded-client-cert", "x-envoy-peer-metadata", "x-envoy-peer-metadata-id"];

/** The gateway object that a service's legs come in by: a DNS label. */
export function gatewayName(service: ExternalService): string {
  const name = objectName(service).replace(".", "--");
  return name.length <= 63 ? name : label(name);
}

/**
 * The routes of one host, from the mesh to the gateway and from there out: one object whatever services own its ports,
 * since sidecars take only one of several for the same host.
 * @param legs All legs of the host.
 * @param legFor Where traffic that a leg's service sends on to another leaves.
 */
export function virtualServices(
  set: PolicySet,
  legs: readonly Leg[],
  legFor: (ref: ServiceRef, from: Leg) => Leg | null,
): readonly IstioObject[] {
  const [first] = legs;
  if (first === undefined) return [];
  const { namespace } = set.gateway;
  const name = `${objectName(first.service)}--${first.meshHost}`;
  const visible = [...new Set(legs.flatMap(({ service }) => exportTo(set, service)))];
  const bound = [
    ...new Set(legs.filter(({ kind }) => kind !== "tcp").map(({ service }) => `${namespace}/${gatewayName(service)}`)),
  ];
  const requests = legs.filter(isRequest);
  const tls = legs.filter(({ kind }) => kind === "tls");
  const tcp = legs.filter(({ kind }) => kind === "tcp");
  const byName = tcp.filter(({ capturedAs, meshHost }) => capturedAs === meshHost);
  const everywhere = visible.includes("*") ? ["*"] : visible;
  const spec = {
    hosts: [first.meshHost],
    gateways: ["mesh", ...bound],
    exportTo: everywhere,
    ...list("http", [
      ...requests.map((leg) => requestsToGateway(set, leg)),
      ...requests.flatMap((leg) => requestsOut(set, leg, legFor)),
    ]),
    ...list(
      "tls",
      tls.map((leg) => tlsToGateway(set, leg)),
    ),
    ...list("tcp", [...byName.map((leg) => bytesToGateway(set, leg)), ...tls.map((leg) => bytesOut(set, leg))]),
  };
  return [
    ...(requests.length + tls.length + byName.length === 0
      ? []
      : [istioObject("VirtualService", name, namespace, spec)]),
    // A gateway's routes are found by the name that clients say to it, which for TCP is not the host's.
    ...tcp.map((leg) => {
      const isCaptured = !byName.includes(leg);
      return istioObject("VirtualService", `${name}--tcp-${leg.listener.dialled}`, namespace, {
        hosts: [leg.sni],
        gateways: [...(isCaptured ? ["mesh"] : []), `${namespace}/${gatewayName(leg.service)}`],
        exportTo: isCaptured ? everywhere : ["."],
        tcp: [...(isCaptured ? [bytesToGateway(set, leg)] : []), bytesOut(set, leg)],
      });
    }),
  ];
}

function list(key: string, routes: readonly object[]): object {
  return routes.length === 0 ? {} : { [key]: routes };
}

function toGateway(set: PolicySet, { subset, listener }: Leg): object {
  return { destination: { host: gatewayHost(set.gateway, listener), subset, port: { number: listener.port } } };
}

function requestsToGateway(set: PolicySet, leg: Leg): object {
  return { match: [{ gateways: ["mesh"], port: leg.listener.dialled }], route: [toGateway(set, leg)] };
}

function tlsToGateway(set: PolicySet, leg: Leg): object {
  const match = [{ gateways: ["mesh"], port: leg.listener.dialled, sniHosts: [leg.meshHost] }];
  return { match, route: [toGateway(set, leg)] };
}

function bytesToGateway(set: PolicySet, leg: Leg): object {
  const cidr = hostCidr(leg.host);
  const subnets = leg.service.addresses.length > 0 ? leg.service.addresses : cidr === null ? [] : [cidr];
  const match = { gateways: ["mesh"], port: leg.listener.dialled };
  return {
    match: [subnets.length === 0 ? match : { ...match, destinationSubnets: subnets }],
    route: [toGateway(set, leg)],
  };
}

function atGateway(
  set: PolicySet,
  { service, listener }: Leg,
): { readonly gateways: readonly string[]; readonly port: number } {
  return { gateways: [`${set.gateway.namespace}/${gatewayName(service)}`], port: listener.port };
}

function bytesOut(set: PolicySet, leg: Leg): object {
  return {
    match: [atGateway(set, leg)],
    route: [{ destination: { host: leg.meshHost, port: { number: leg.listener.dialled } } }],
  };
}

/** An upgraded connection must never serve another request, so it has a pool of its own; where no rule allows one, it goes nowhere. */
function requestsOut(set: PolicySet, leg: Leg, legFor: (ref: ServiceRef, from: Leg) => Leg | null): readonly object[] {
  const { service } = leg;
  const upgrade = {
    ...atGateway(set, leg),
    headers: { upgrade: { regex: ".+" }, connection: { regex: "(?i).*upgrade.*" } },
  };
  const upgraded = upgrades(set, service)
    ? { match: [upgrade], headers: withoutOurs(), route: [{ destination: out(leg, true) }] }
    : { match: [upgrade], directResponse: { status: 403 } };
  const parts = service.split.flatMap(({ service: ref, weight }) => {
    const target = legFor(ref, leg);
    return target === null
      ? []
      : [{ destination: out(target), weight, headers: { request: { set: { Host: target.meshHost } } } }];
  });
  const copy = service.mirror === null ? null : legFor(service.mirror.service, leg);
  const mirrors =
    service.mirror === null || copy === null
      ? {}
      : { mirrors: [{ destination: out(copy), percentage: { value: service.mirror.percent } }] };
  const route = parts.length === 0 ? [{ destination: out(leg) }] : parts;
  return [upgraded, { match: [atGateway(set, leg)], headers: withoutOurs(), route, ...mirrors }];
}

function withoutOurs(): object {
  return { request: { remove: OURS } };
}

function out({ service, meshHost, listener }: Leg, isUpgrade = false): object {
  return { host: meshHost, subset: requestSubset(service, isUpgrade), port: { number: listener.dialled } };
}

/** Finds where traffic that is sent on leaves. */
export function createRouting(legs: readonly Leg[]): (ref: ServiceRef, from: Leg) => Leg | null {
  return (ref, from) => {
    const theirs = legs.filter(({ service }) => service.scope === ref.scope && service.name === ref.name);
    const service = theirs[0]?.service;
    const host = service === undefined ? null : routedHost(service, from.host);
    return theirs.find((leg) => leg.host === host && leg.listener.dialled === from.listener.dialled) ?? null;
  };
}
