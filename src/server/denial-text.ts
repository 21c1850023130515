import type { Decision } from "../pdp/decision.ts";
import type { AnswerReason } from "./check-response.ts";

/** What a refused caller is told. Only canonical and policy-side texts go in: nothing of path, query or headers. */
export interface DenialText {
  /** What happened, in one sentence. */
  readonly message: string;
  /** What to do about it, in one sentence. */
  readonly howToGetAccess: string;
}

/** Explains a denial to the application that was refused. `decision` is null when none was made. */
export function denialText(reason: AnswerReason, decision: Decision | null): DenialText {
  const who = decision?.subject?.spiffeId ?? "this workload";
  const target = decision?.target ?? null;
  const what = target === null ? "this target" : `${target.host}:${target.port}`;
  const rule = decision?.rules[0] ?? "a rule";
  const owner = decision?.note?.owner;
  const ask = owner === undefined ? "ask the platform team" : `ask ${owner}`;
  switch (reason) {
    case "no-identity":
      return {
        message: "The connection carried no workload identity.",
        howToGetAccess:
          "Call through the mesh: the gateway needs the workload's mTLS certificate with a SPIFFE URI SAN.",
      };
    case "invalid-identity":
      return {
        message: "The connection's identity is not exactly one valid SPIFFE ID.",
        howToGetAccess: "Use a certificate with one SPIFFE URI SAN, issued by the mesh.",
      };
    case "foreign-trust-domain":
      return {
        message: `The trust domain of ${who} is neither the mesh's own nor a partner's.`,
        howToGetAccess: "The platform team lists partners in federatedTrustDomains of the EgressGateway.",
      };
    case "namespace-invalid":
      return {
        message: `The policies of the namespace of ${who} are invalid, so all its traffic is refused.`,
        howToGetAccess: "Repair the namespace's policies: sallyport validate lists what is wrong.",
      };
    case "invalid-target":
      return {
        message: "The requested host or port cannot be understood without doubt.",
        howToGetAccess: "Use the plain canonical host name, in lower case, and the port of the route.",
      };
    case "upgrade-not-allowed":
      return {
        message: `No rule lets ${who} upgrade connections to ${what} to this protocol.`,
        howToGetAccess: `To upgrade, name the protocol in the rule's upgrades: ${ask}.`,
      };
    case "guarded-target":
      return {
        message: `${what} is an address or an internal name, which is closed to everyone.`,
        howToGetAccess: "Use the public host name; the platform team can register an internal service.",
      };
    case "unregistered-target":
      return {
        message: `No external service is registered for ${what} that ${who} may see.`,
        howToGetAccess: "Ask the platform team to register the host and port as an ExternalService.",
      };
    case "denied-by-rule":
      return {
        message: `${rule} denies ${what} to ${who}${why(decision)}.`,
        howToGetAccess: `A deny beats every allow: ${ask} to change it.`,
      };
    case "rule-expired":
      return { message: `${rule} allowed ${what} to ${who} and has expired.`, howToGetAccess: `To renew it, ${ask}.` };
    case "no-matching-rule":
      return {
        message: `No rule allows this request of ${who} to ${what}.`,
        howToGetAccess: "Add a rule to an EgressPolicy of the workload's namespace, or ask the platform team for one.",
      };
    case "no-policy":
      return {
        message: "The authorizer has no policies loaded, so nothing passes.",
        howToGetAccess: "Try again soon; if it lasts, tell the platform team.",
      };
    case "audit-failed":
      return {
        message: "The authorizer cannot write its audit trail, so nothing passes.",
        howToGetAccess: "Try again soon; if it lasts, tell the platform team.",
      };
    default:
      return {
        message: "The authorizer failed, so the request was refused.",
        howToGetAccess: "Try again; if it lasts, tell the platform team and name the decision.",
      };
  }
}

function why(decision: Decision | null): string {
  const reason = decision?.note?.reason ?? null;
  return reason === null ? "" : ` (${reason})`;
}
