import type { PolicySet } from "../../policy/model.ts";
import type { FileDraft } from "../draft.ts";
import {
  admissionPolicy,
  celList,
  celString,
  onWrite,
  type ResourceRule,
  type Validation,
} from "./admission-policy.ts";
import { authorizerNamespace } from "./governed-namespaces.ts";
import { isProtected, protectedNames } from "./protected-names.ts";

const RESOURCES: readonly ResourceRule[] = [
  {
    apiGroup: "networking.istio.io",
    resources: ["destinationrules", "envoyfilters", "gateways", "serviceentries", "sidecars", "virtualservices"],
  },
  { apiGroup: "extensions.istio.io", resources: ["trafficextensions", "wasmplugins"] },
  {
    apiGroup: "gateway.networking.k8s.io",
    resources: ["gateways", "grpcroutes", "httproutes", "tcproutes", "tlsroutes"],
  },
];

/** Only administrators define how traffic leaves: tenants' mesh objects take over no registered host and no gateway. */
export function meshAdmissionFile(set: PolicySet): FileDraft {
  const reserved = [set.gateway.namespace, authorizerNamespace(set), "istio-system"].filter((name) => name !== null);
  const variables = protectedNames(set);
  return {
    path: "admission/mesh-objects.yaml",
    purpose:
      "Tenants' mesh objects, in whatever namespace, take over no registered host, no gateway and no authorizer; administrators are whom RBAC lets `administer` `egress` in `sallyport.dev`.",
    sources: [set.gateway.at.file, ...set.services.map(({ at }) => at.file)],
    inputs: { reserved, variables, selector: set.gateway.selector },
    documents: admissionPolicy({
      name: "sallyport-mesh-objects",
      resources: RESOURCES,
      namespaces: null,
      variables,
      validations: [
        {
          expression: `!(request.namespace in ${celList(reserved)})`,
          message: "mesh objects of the egress gateway, its authorizer and the mesh itself are the administrators'",
        },
        ...hosts(),
        ...virtualServices(set),
        ...gateways(set),
        ...proxies(),
      ],
    }),
  };
}

function hosts(): readonly Validation[] {
  return [
    {
      expression: onWrite(`!has(variables.spec.hosts) || variables.spec.hosts.all(h, !(${isProtected("h")}))`),
      message: "names a host that is registered for egress, or a wildcard over one",
    },
    {
      expression: onWrite(`!has(variables.spec.host) || !(${isProtected("variables.spec.host")})`),
      message: "sets how a registered host, the egress gateway or its authorizer is reached",
    },
    {
      expression: onWrite(
        "request.resource.resource != 'serviceentries' || (has(variables.spec.location) && variables.spec.location == 'MESH_INTERNAL' && (!has(variables.spec.addresses) || size(variables.spec.addresses) == 0))",
      ),
      message:
        "hosts outside the mesh are registered in Sallyport's policies; yours are MESH_INTERNAL, without addresses",
    },
  ];
}

function virtualServices(set: PolicySet): readonly Validation[] {
  const only = "request.resource.resource != 'virtualservices'";
  const routes = ["http", "tls", "tcp"].map(
    (kind) =>
      `(!has(variables.spec.${kind}) || variables.spec.${kind}.all(r, !has(r.route) || r.route.all(d, !(${isProtected("d.destination.host")}))))`,
  );
  const mirrors = [
    `!has(r.mirror) || !(${isProtected("r.mirror.host")})`,
    `!has(r.mirrors) || r.mirrors.all(m, !(${isProtected("m.destination.host")}))`,
  ].map((each) => `(!has(variables.spec.http) || variables.spec.http.all(r, ${each}))`);
  return [
    ...[...routes, ...mirrors].map((each) => ({
      expression: onWrite(`${only} || ${each}`),
      message: "routes to a host that is registered for egress; applications dial it by its own name",
    })),
    {
      expression: onWrite(
        `${only} || !has(variables.spec.gateways) || variables.spec.gateways.all(g, !g.startsWith(${celString(`${set.gateway.namespace}/`)}))`,
      ),
      message: "attaches itself to the egress gateway",
    },
  ];
}

/** A Gateway binds to pods of any namespace by label, so it must say something that the egress gateway's are not. */
function gateways(set: PolicySet): readonly Validation[] {
  const own = `{${Object.entries(set.gateway.selector)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${celString(key)}: ${celString(value)}`)
    .join(", ")}}`;
  const keys = celList(Object.keys(set.gateway.selector));
  const istio = "request.resource.resource == 'gateways' && request.resource.group == 'networking.istio.io'";
  const standard = "request.resource.group == 'gateway.networking.k8s.io'";
  const bySelector: Validation = {
    expression: onWrite(
      `!(${istio}) || (has(variables.spec.selector) && ${keys}.exists(k, k in variables.spec.selector && variables.spec.selector[k] != ${own}[k]))`,
    ),
    message: `may open ports on the egress gateway; select other pods by one of the labels ${Object.keys(set.gateway.selector).sort().join(", ")}`,
  };
  return [
    // Only RegistryOnly may go without labels, and has no gateway that a tenant could open.
    ...(Object.keys(set.gateway.selector).length === 0 ? [] : [bySelector]),
    {
      expression: onWrite(
        `!(${standard}) || !has(variables.spec.addresses) || variables.spec.addresses.all(a, has(a.value) && !(${isProtected("a.value")}))`,
      ),
      message: "takes the egress gateway's or its authorizer's Service for its own",
    },
    {
      expression: onWrite(
        `!(${standard}) || !has(variables.spec.parentRefs) || variables.spec.parentRefs.all(p, !(has(p.kind) && p.kind == 'ServiceEntry') && !(has(p.namespace) && p.namespace == ${celString(set.gateway.namespace)}))`,
      ),
      message: "routes a registered host, or attaches itself to the egress gateway",
    },
  ];
}

/** What changes a proxy can hide anything in nested configuration, so tenants have none of it. */
function proxies(): readonly Validation[] {
  return [
    {
      expression: onWrite("!(request.resource.resource in ['envoyfilters', 'wasmplugins', 'trafficextensions'])"),
      message: "extends proxies, which only egress administrators do",
    },
    {
      expression: onWrite(
        "request.resource.resource != 'sidecars' || (!has(variables.spec.egressProxy) && (!has(variables.spec.outboundTrafficPolicy) || !has(variables.spec.outboundTrafficPolicy.mode) || variables.spec.outboundTrafficPolicy.mode == 'REGISTRY_ONLY'))",
      ),
      message: "a Sidecar keeps outboundTrafficPolicy REGISTRY_ONLY and has no egressProxy",
    },
  ];
}
