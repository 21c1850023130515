import type { Decision } from "../pdp/decision.ts";
import type { PolicySet } from "../policy/model.ts";
import { namespacesOf } from "../policy/visibility.ts";
import { scopedName } from "./scoped-name.ts";

/** What the mesh really enforces, whatever the rules say. */
export interface Enforcement {
  /** `none`: everything leaves. `namespace`: what is registered and visible leaves. `workload`: each decision counts. */
  readonly by: "none" | "namespace" | "workload";
  /** Whether this request leaves the mesh as things stand. */
  readonly leaves: boolean;
  /** One sentence for people. */
  readonly explanation: string;
}

/**
 * What a security model makes of a decision. `AllowAny` and `RegistryOnly` put no gateway in the path, so nobody asks:
 * the decision then only says what `Gateway` would do.
 * @see docs/semantics.md §5
 */
export function enforcement(set: PolicySet, decision: Pick<Decision, "effect" | "service" | "subject">): Enforcement {
  const model = set.gateway.securityModel;
  if (model === "Gateway") {
    return {
      by: "workload",
      leaves: decision.effect === "allow",
      explanation: "the gateway asks for each request of each workload",
    };
  }
  if (model === "AllowAny") {
    return {
      by: "none",
      leaves: true,
      explanation: "under AllowAny everything leaves; this is only what the rules would say",
    };
  }
  const where = decision.subject?.namespace ?? null;
  const visible = isVisible(set, decision.service, where);
  const place = where === null ? "to this workload" : `in namespace ${where}`;
  const explanation = visible
    ? `under RegistryOnly it leaves, because service ${decision.service} is visible ${place}`
    : `under RegistryOnly it does not leave, because no service visible ${place} registers this host and port`;
  return { by: "namespace", leaves: visible, explanation };
}

/** As the generators make it: a service is visible where some enforced allow lets somebody reach it. */
function isVisible(set: PolicySet, title: string | null, namespace: string | null): boolean {
  const service = set.services.find((each) => scopedName(each) === title);
  if (service === undefined) return false;
  const namespaces = namespacesOf(set, service);
  return namespaces === null || (namespace !== null && namespaces.includes(namespace));
}
