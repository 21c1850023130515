import type { PolicySet } from "../../policy/model.ts";
import type { FileDraft, Generated, Target } from "../draft.ts";
import { administratorFile } from "./administrator-file.ts";
import { authorizerFile, gatewayFile } from "./gateway-file.ts";
import { governedNamespaces } from "./governed-namespaces.ts";
import { meshAdmissionFile } from "./mesh-admission.ts";
import { namespaceFile } from "./namespace-file.ts";
import { networkAdmissionFile } from "./network-admission.ts";
import { nodeFiles } from "./node-files.ts";
import { kubernetesNotes } from "./notes.ts";
import { ownershipAdmissionFiles } from "./ownership-admission.ts";

/** Network policies that leave the gateway as the only way out, and admission policies that keep it so. */
export const kubernetesTarget: Target = {
  name: "kubernetes",
  summary: "network policies, admission policies and the node option: nothing leaves but the gateway",
  generate(set): Generated {
    const notes = kubernetesNotes(set);
    const files = notes.some(({ severity }) => severity === "error") ? [] : filesOf(set);
    return { files, notes };
  },
};

function filesOf(set: PolicySet): readonly FileDraft[] {
  const { securityModel, authorizer, at } = set.gateway;
  if (securityModel === "AllowAny") return [];
  const shared = [
    ...governedNamespaces(set).map((namespace) => namespaceFile(set, namespace)),
    administratorFile(at.file),
    networkAdmissionFile(set),
    meshAdmissionFile(set),
  ];
  if (securityModel === "RegistryOnly") return shared;
  return [
    ...shared,
    gatewayFile(set),
    ...ownershipAdmissionFiles(set),
    ...(authorizer === null ? [] : [authorizerFile(set, authorizer)]),
    ...nodeFiles(set),
  ];
}
