import type { Authorizer, PolicySet } from "../../policy/model.ts";
import type { FileDraft } from "../draft.ts";
import { publicPeers } from "../public-addresses.ts";
import { upstreamPorts } from "../services.ts";
import { networkPolicy } from "./objects.ts";
import { gatewayPods, meshBasics, podsOf, tcp } from "./peers.ts";
import { internalRules } from "./upstream.ts";

/** The gateway's way out: public addresses on upstream ports, the authorizer, and what was registered as internal. */
export function gatewayFile(set: PolicySet): FileDraft {
  const { namespace, selector, authorizer } = set.gateway;
  const ports = set.services.filter(({ internal }) => !internal).flatMap((service) => upstreamPorts(service));
  const egress = [
    ...meshBasics(),
    ...(authorizer === null ? [] : [{ to: [authorizerPods(authorizer)], ports: tcp([authorizer.port]) }]),
    // INVARIANT: a rule without ports would open every port, so none is made without a service.
    ...(ports.length === 0 ? [] : [{ to: publicPeers(), ports: tcp(ports) }]),
    ...internalRules(set),
  ];
  const others = networkPolicy("sallyport-egress", namespace, {
    podSelector: {},
    policyTypes: ["Egress"],
    egress: meshBasics(),
  });
  const policy = networkPolicy("sallyport-gateway", namespace, {
    podSelector: { matchLabels: selector },
    policyTypes: ["Egress"],
    egress,
  });
  return {
    path: "gateway.yaml",
    purpose: "Only the gateway's pods reach the outside: never a private, link-local or metadata address by accident.",
    sources: [set.gateway.at.file, ...set.services.map(({ at }) => at.file)],
    inputs: { namespace, selector, egress },
    documents: [others, policy],
  };
}

/** The authorizer answers the gateway's pods and nobody else, on its port for Checks and no other. */
export function authorizerFile(set: PolicySet, authorizer: Authorizer): FileDraft {
  const { name, namespace } = partsOf(authorizer);
  const policy = networkPolicy(`${name}-checks`, namespace, {
    podSelector: { matchLabels: labelsOf(name) },
    policyTypes: ["Ingress"],
    ingress: [{ from: [gatewayPods(set.gateway)], ports: tcp([authorizer.port]) }],
  });
  return {
    path: "authorizer.yaml",
    purpose: `Only the gateway's pods reach the authorizer (pods labelled app.kubernetes.io/name: ${name}); whoever scrapes its metrics needs a policy of your own.`,
    sources: [set.gateway.at.file],
    inputs: { authorizer, gateway: gatewayPods(set.gateway) },
    documents: [policy],
  };
}

function authorizerPods(authorizer: Authorizer): object {
  const { name, namespace } = partsOf(authorizer);
  return podsOf(namespace, labelsOf(name));
}

function partsOf({ service }: Authorizer): { readonly name: string; readonly namespace: string } {
  const [name = "", namespace = ""] = service.split(".");
  return { name, namespace };
}

function labelsOf(name: string): Readonly<Record<string, string>> {
  return { "app.kubernetes.io/name": name };
}
