import type { ExternalService, PolicySet } from "../../policy/model.ts";
import { namespacesOf } from "../../policy/visibility.ts";
import type { FileDraft, Generated, GenerateOptions, Target } from "../draft.ts";
import { type GatewayListener, listenersOf } from "../listeners.ts";
import { objectName, serviceTitle } from "../services.ts";
import { directObjects } from "./direct.ts";
import { gatewayFilters } from "./envoy-filters.ts";
import { askAuthorizer, gatewayFile, shieldAuthorizer } from "./gateway-file.ts";
import { gatewayObject, gatewaySubsets } from "./gateway-objects.ts";
import { type Leg, legsOf, upgrades } from "./leg.ts";
import { meshConfigFile } from "./mesh-config.ts";
import { nativeAuthorization } from "./native.ts";
import { istioNotes } from "./notes.ts";
import { upstreamRules } from "./origination.ts";
import { serviceEntries } from "./registry.ts";
import { createRouting, virtualServices } from "./routes.ts";
import { seatFile } from "./seat.ts";
import { serviceFilters } from "./service-filters.ts";
import { sidecarFiles } from "./sidecars.ts";

/** Istio's objects for the set's security model. */
export const istioTarget: Target = {
  name: "istio",
  summary: "Istio's objects: registry, gateway, routes, TLS, authorization, telemetry and mesh settings",
  generate(set, options): Generated {
    const notes = istioNotes(set, options.native);
    if (notes.some(({ severity }) => severity === "error")) return { files: [], notes };
    if (set.gateway.securityModel === "Gateway") return throughGateway(set, options, notes);
    const services = set.services.flatMap((service) => directFile(set, service));
    const sidecars = set.gateway.securityModel === "RegistryOnly" ? sidecarFiles(set, []) : [];
    return { files: [...services, meshConfigFile(set, false), ...sidecars], notes };
  },
};

function throughGateway(set: PolicySet, options: GenerateOptions, notes: Generated["notes"]): Generated {
  const { native } = options;
  const listeners = listenersOf(set.services);
  const legs = set.services.flatMap((service) => legsOf(set, service, listeners));
  const used = new Set(legs.map(({ listener }) => listener));
  const open = [...listeners.values()].filter((listener) => used.has(listener));
  const { authorizer } = set.gateway;
  const own = native
    ? nativeAuthorization(set, legs)
    : { objects: authorizer === null ? [] : askAuthorizer(set, authorizer), notes: [] };
  const all = [...notes, ...own.notes];
  if (all.some(({ severity }) => severity === "error")) return { files: [], notes: all };
  const seat = seatFile(set, open, options);
  const files = [
    ...set.services.flatMap((service) => serviceFile(set, service, legs, native)),
    gatewayFile(set, open, own.objects),
    ...(native || authorizer === null ? [] : [shieldAuthorizer(set, authorizer)]),
    filtersFile(set, open, native),
    ...(seat === null ? [] : [seat]),
    meshConfigFile(set, !native),
    ...sidecarFiles(set, legs),
  ];
  return { files, notes: all };
}

function serviceFile(
  set: PolicySet,
  service: ExternalService,
  all: readonly Leg[],
  native: boolean,
): readonly FileDraft[] {
  const legs = all.filter((leg) => leg.service === service);
  if (legs.length === 0) return [];
  // A host's routes lie with the first service that owns one of its ports.
  const hosts = [...new Set(legs.map(({ meshHost }) => meshHost))].filter(
    (host) => all.find((leg) => leg.meshHost === host)?.service === service,
  );
  const routed = hosts.map((host) => all.filter(({ meshHost }) => meshHost === host));
  const others = [...new Set(routed.flat().map((leg) => leg.service))];
  const targets = service.split
    .map((each) => each.service)
    .concat(service.mirror === null ? [] : [service.mirror.service]);
  const sentOn = set.services.filter((each) =>
    targets.some(({ scope, name }) => scope === each.scope && name === each.name),
  );
  const { name, namespace, selector, clusterDomain, authorizer } = set.gateway;
  return [
    {
      path: `services/${objectName(service)}.yaml`,
      purpose: `${serviceTitle(service)}: its hosts for the mesh, the routes to the gateway and from there out.`,
      sources: [service.at.file, ...others.map(({ at }) => at.file)],
      inputs: {
        services: [service, ...others, ...sentOn].map((each) => [each, namespacesOf(set, each), upgrades(set, each)]),
        hosts: legs.map(({ host, listener }) => [host, listener]),
        gateway: { name, namespace, selector, clusterDomain, authorizer },
      },
      documents: [
        ...serviceEntries(set, service, legs),
        gatewayObject(set, service, legs),
        ...gatewaySubsets(set, service, legs),
        ...routed.flatMap((own) => virtualServices(set, own, createRouting(all))),
        ...upstreamRules(set, service, legs),
        ...serviceFilters(set, service, legs, native),
      ],
    },
  ];
}

function filtersFile(set: PolicySet, listeners: readonly GatewayListener[], native: boolean): FileDraft {
  const { name, namespace, selector, authorizer, at } = set.gateway;
  return {
    path: "envoy-filters.yaml",
    purpose:
      "What Istio's API has no word for, on the egress gateway alone: what is asked and told, limits, and refusals that leave a record.",
    sources: [at.file],
    inputs: { name, namespace, selector, authorizer, listeners, native },
    documents: gatewayFilters(set, listeners, native),
  };
}

function directFile(set: PolicySet, service: ExternalService): readonly FileDraft[] {
  const documents = directObjects(set, service);
  if (documents.length === 0) return [];
  const { namespace, clusterDomain } = set.gateway;
  return [
    {
      path: `services/${objectName(service)}.yaml`,
      purpose: `${serviceTitle(service)}: its hosts for the namespaces that see it; their sidecars go there themselves.`,
      sources: [service.at.file],
      inputs: { service, namespaces: namespacesOf(set, service), namespace, clusterDomain },
      documents,
    },
  ];
}
