import type { PolicySet } from "../../policy/model.ts";
import { namespacesOf, openingsOf } from "../../policy/visibility.ts";
import type { GenerateNote } from "../draft.ts";
import { serviceTitle } from "../services.ts";
import { sharedNamespaces, ungovernableNamespaces } from "./governed-namespaces.ts";
import { isAddressed } from "./upstream.ts";

/** What network policy cannot hold, or holds more weakly than the policies say. */
export function kubernetesNotes(set: PolicySet): readonly GenerateNote[] {
  const { securityModel, at } = set.gateway;
  if (securityModel === "AllowAny") {
    return [
      {
        code: "model-enforces-nothing",
        severity: "warning",
        at,
        message: "under AllowAny every pod may go anywhere, so there is no network policy to generate",
        fix: "set `securityModel: Gateway` and `fallback: report` to see what would be refused",
      },
    ];
  }
  return [
    ...(securityModel === "Gateway" ? gatewayNotes(set) : []),
    ...(securityModel === "RegistryOnly" ? narrowNotes(set) : []),
    ...ungovernableNamespaces(set).map((namespace) => systemNote(set, namespace)),
    {
      code: "ungoverned-namespaces",
      severity: "warning",
      at,
      message:
        "network policies hold in namespaces that the policies name, and no other; nor do they bind hostNetwork pods",
      fix: "give every other namespace a default deny of its own, and forbid hostNetwork by Pod Security",
    },
  ];
}

function gatewayNotes(set: PolicySet): readonly GenerateNote[] {
  const { at, selector, authorizer } = set.gateway;
  const notes: GenerateNote[] = [];
  if (Object.keys(selector).length === 0) {
    notes.push({
      code: "no-gateway-selector",
      severity: "error",
      at,
      message: "the gateway names no labels of its pods, so every pod beside it would be let out",
      fix: "add `selector: {istio: egressgateway}`, with labels that no other pod has",
    });
  }
  if (authorizer === null) {
    notes.push({
      code: "no-authorizer",
      severity: "warning",
      at,
      message: "the gateway names no authorizer, so there is none to shield",
      fix: "add `authorizer: {service: name.namespace}`",
    });
  } else if (!/^[a-z0-9-]+\.[a-z0-9-]+$/.test(authorizer.service)) {
    notes.push({
      code: "not-expressible",
      severity: "error",
      at,
      message: `the authorizer \`${authorizer.service}\` is not \`name.namespace\`, so its pods cannot be told`,
      fix: "name the authorizer's Service as `name.namespace`",
    });
  }
  for (const namespace of sharedNamespaces(set)) {
    notes.push({
      code: "not-expressible",
      severity: "warning",
      at,
      message: `who runs pods in \`${namespace}\` is not held to administrators: the cluster's own parts live there`,
      fix: "give the gateway and its authorizer namespaces of their own",
    });
  }
  return notes;
}

/** Without a gateway a service is open to whole namespaces; CIDRs are held, names are not. */
function narrowNotes(set: PolicySet): readonly GenerateNote[] {
  return set.services
    .filter((service) => openingsOf(set, service).length > 0)
    .map((service): GenerateNote => {
      const who = namespacesOf(set, service)?.join(", ") ?? "every namespace";
      const what = isAddressed(service) ? "its addresses and ports" : "any public address on its ports";
      return {
        code: "narrower-than-namespace",
        severity: "warning",
        at: service.at,
        message: `for \`${serviceTitle(service)}\` network policy lets all pods of ${who} reach ${what}`,
        fix: "use `securityModel: Gateway` where workloads of a namespace must be told apart",
      };
    });
}

function systemNote(set: PolicySet, namespace: string): GenerateNote {
  return {
    code: "not-expressible",
    severity: "warning",
    at: set.gateway.at,
    message: `\`${namespace}\` gets no default deny: the cluster's own parts live there`,
    fix: "move applications to namespaces of their own",
  };
}
