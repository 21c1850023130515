import { stringify } from "yaml";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import type { ResourceKind } from "../../policy/resource-definition.ts";

/** A custom resource, as far as it is read here. */
export interface PolicyObject {
  readonly apiVersion: string;
  readonly kind: ResourceKind;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
  };
  readonly spec: unknown;
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly revision?: string;
    readonly seats?: number;
    readonly servers?: readonly ServerEntry[];
  };
}

/** A condition as Kubernetes writes them. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/** A server that decides by the policies, in the status of the EgressGateway. */
export interface ServerEntry {
  readonly name: string;
  readonly revision: string;
  readonly gateways: number;
  readonly renewTime: string;
}

/**
 * An object as the file that says the same, where a file of its namespace would lie: the API server knows whose it is. Objects of the root namespace lie at the
 * top. Anything else that an object says of itself counts for nothing.
 */
export function policyFile(object: PolicyObject, rootNamespace: string): PolicyFile {
  const { apiVersion, kind, metadata, spec } = object;
  const { name, namespace } = metadata;
  const text = stringify({ apiVersion, kind, metadata: { name, namespace }, spec }, { aliasDuplicateObjects: false });
  return { path: policyPath(object, rootNamespace), bytes: Buffer.from(text) };
}

/** `payments/stripe.EgressPolicy.yaml`: what diagnostics of an object name as their file. No name makes it a file of tests. */
export function policyPath({ kind, metadata: { name, namespace } }: PolicyObject, rootNamespace: string): string {
  return `${namespace === rootNamespace ? "" : `${namespace}/`}${name}.${kind}.yaml`;
}
