import type { PolicySet } from "../../policy/model.ts";
import type { FileDraft } from "../draft.ts";
import { admissionPolicy, celList, onWrite } from "./admission-policy.ts";
import { authorizerNamespace, governedNamespaces } from "./governed-namespaces.ts";
import { NAMESPACE_NAME } from "./objects.ts";

/**
 * NetworkPolicies only add up: one of a tenant's could open what ours leaves shut. Tenants may go on opening the way
 * between pods of the cluster, so an egress rule must name its peers, by labels.
 */
export function networkAdmissionFile(set: PolicySet): FileDraft {
  const reserved = [set.gateway.namespace, authorizerNamespace(set)].filter((name) => name !== null);
  const names = [...new Set([...governedNamespaces(set), ...reserved])].sort();
  return {
    path: "admission/network-policies.yaml",
    purpose:
      "Tenants cannot add network policies that open the way out, nor touch ours; administrators are whom RBAC lets `administer` `egress` in `sallyport.dev`.",
    sources: [set.gateway.at.file],
    inputs: { names, reserved },
    documents: admissionPolicy({
      name: "sallyport-network-policies",
      resources: [{ apiGroup: "networking.k8s.io", resources: ["networkpolicies"] }],
      namespaces: { label: NAMESPACE_NAME, names },
      variables: [{ name: "egress", expression: "has(variables.spec.egress) ? variables.spec.egress : dyn([])" }],
      validations: [
        {
          expression: `!(request.namespace in ${celList(reserved)})`,
          message:
            "network policies beside the egress gateway and its authorizer are written by egress administrators only",
        },
        {
          expression: onWrite("variables.egress.all(rule, has(rule.to) && size(rule.to) > 0)"),
          message: "an egress rule without `to` opens every address; name the pods it is for",
        },
        {
          expression: onWrite(
            "variables.egress.all(rule, !has(rule.to) || rule.to.all(peer, !has(peer.ipBlock) && (has(peer.podSelector) || has(peer.namespaceSelector))))",
          ),
          message: "egress to addresses leaves through the gateway; register the host in Sallyport's policies",
        },
      ],
    }),
  };
}
