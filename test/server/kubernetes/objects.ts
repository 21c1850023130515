import type { ResourceKind } from "../../../src/policy/resource-definition.ts";
import type { PolicyObject } from "../../../src/server/kubernetes/policy-object.ts";

/** An object of a cluster, as its API server would tell it. */
export function objectOf(
  namespace: string,
  name: string,
  more: Partial<Pick<PolicyObject, "spec" | "status">> & {
    kind?: ResourceKind;
    generation?: number;
    version?: string;
  } = {},
): PolicyObject {
  const { kind = "EgressPolicy", generation = 1, version = "1", spec = {}, status } = more;
  const metadata = { name, namespace, uid: `${kind}/${namespace}/${name}`, resourceVersion: version, generation };
  return { apiVersion: "sallyport.dev/v1alpha1", kind, metadata, spec, ...(status === undefined ? {} : { status }) };
}
