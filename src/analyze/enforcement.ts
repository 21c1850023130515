import type { Decision } from "../pdp/decision.ts";
import type { SecurityModel } from "../policy/model.ts";

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
export function enforcement(
  model: SecurityModel,
  decision: Pick<Decision, "effect" | "service" | "subject">,
): Enforcement {
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
  const visible = decision.service !== null;
  const where = decision.subject?.namespace ?? null;
  const place = where === null ? "to this workload" : `in namespace ${where}`;
  const explanation = visible
    ? `under RegistryOnly it leaves, because service ${decision.service} is visible ${place}`
    : `under RegistryOnly it does not leave, because no service visible ${place} registers this host and port`;
  return { by: "namespace", leaves: visible, explanation };
}
