import type { PolicySet } from "../../policy/model.ts";
import type { FileDraft } from "../draft.ts";
import { admissionPolicy, type ResourceRule } from "./admission-policy.ts";
import { ownNamespaces } from "./governed-namespaces.ts";
import { NAMESPACE_NAME } from "./objects.ts";

/** Whatever makes a pod run, changes what runs in it, gives it an identity, or sends others' traffic to it. */
const RESOURCES: readonly ResourceRule[] = [
  {
    apiGroup: "",
    resources: [
      "endpoints",
      "pods",
      "pods/ephemeralcontainers",
      "replicationcontrollers",
      "serviceaccounts",
      "serviceaccounts/token",
      "services",
    ],
  },
  { apiGroup: "", resources: ["pods/attach", "pods/exec", "pods/portforward"], operations: ["CONNECT"] },
  {
    apiGroup: "apps",
    resources: [
      "daemonsets",
      "deployments",
      "deployments/scale",
      "replicasets",
      "replicasets/scale",
      "statefulsets",
      "statefulsets/scale",
    ],
  },
  { apiGroup: "batch", resources: ["cronjobs", "jobs"] },
  { apiGroup: "discovery.k8s.io", resources: ["endpointslices"] },
  { apiGroup: "rbac.authorization.k8s.io", resources: ["rolebindings", "roles"] },
];

/** Controllers, scheduler and kubelets act for whoever was let in. */
const NOT_THE_CLUSTER_ITSELF = {
  name: "not-the-cluster-itself",
  expression:
    "!('system:nodes' in request.userInfo.groups || 'system:serviceaccounts:kube-system' in request.userInfo.groups || request.userInfo.username in ['system:kube-controller-manager', 'system:kube-scheduler'])",
};

/** A pod beside the gateway can have the gateway's identity, and one beside the authorizer answers for it: only administrators say what runs there. */
export function ownershipAdmissionFiles(set: PolicySet): readonly FileDraft[] {
  const names = ownNamespaces(set);
  if (names.length === 0) return [];
  const file: FileDraft = {
    path: "admission/ownership.yaml",
    purpose:
      "What runs beside the egress gateway and its authorizer, as whom, and who gets in there, is said by administrators: whom RBAC lets `administer` `egress` in `sallyport.dev`.",
    sources: [set.gateway.at.file],
    inputs: { names },
    documents: admissionPolicy({
      name: "sallyport-ownership",
      resources: RESOURCES,
      namespaces: { label: NAMESPACE_NAME, names },
      exempt: [NOT_THE_CLUSTER_ITSELF],
      variables: [],
      validations: [
        {
          expression: "false",
          message:
            "what runs beside the egress gateway and its authorizer, and as whom, is said by egress administrators only",
        },
      ],
    }),
  };
  return [file];
}
