import type { FileDraft } from "../draft.ts";
import { metadata } from "./objects.ts";

/** The role that the admission policies ask RBAC about. It is bound to nobody here. */
export function administratorFile(gatewayFile: string): FileDraft {
  return {
    path: "admission/administrators.yaml",
    purpose: "Bind this role to whoever applies generated files; cluster administrators have it already.",
    sources: [gatewayFile],
    inputs: null,
    documents: [
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRole",
        metadata: metadata("sallyport-egress-administrator"),
        rules: [{ apiGroups: ["sallyport.dev"], resources: ["egress"], verbs: ["administer"] }],
      },
    ],
  };
}
