// Written by scripts/build-wasm.ts from src/bundle/reason.ts and src/server/denials.ts. Do not edit.
/** The name of a reason by its code. */
export function reasonName(reason: u32): string {
  if (reason == 0) return "no-identity";
  if (reason == 1) return "invalid-identity";
  if (reason == 2) return "foreign-trust-domain";
  if (reason == 3) return "namespace-invalid";
  if (reason == 4) return "invalid-target";
  if (reason == 5) return "upgrade-not-allowed";
  if (reason == 6) return "guarded-target";
  if (reason == 7) return "unregistered-target";
  if (reason == 8) return "denied-by-rule";
  if (reason == 9) return "allowed-by-rule";
  if (reason == 10) return "rule-expired";
  if (reason == 11) return "no-matching-rule";
  if (reason == 12) return "fallback-report";
  if (reason == 13) return "fallback-allow";
  return "";
}
/** What happened, with places for who, what, rule, ask and why. */
export function denialMessage(reason: u32): string {
  if (reason == 0) return "The connection carried no workload identity.";
  if (reason == 1) return "The connection's identity is not exactly one valid SPIFFE ID.";
  if (reason == 2) return "The trust domain of {who} is neither the mesh's own nor a partner's.";
  if (reason == 3) return "The policies of the namespace of {who} are invalid, so all its traffic is refused.";
  if (reason == 4) return "The requested host or port cannot be understood without doubt.";
  if (reason == 5) return "No rule lets {who} upgrade connections to {what} to this protocol.";
  if (reason == 6) return "{what} is an address or an internal name, which is closed to everyone.";
  if (reason == 7) return "No external service is registered for {what} that {who} may see.";
  if (reason == 8) return "{rule} denies {what} to {who}{why}.";
  if (reason == 9) return "The authorizer failed, so the request was refused.";
  if (reason == 10) return "{rule} allowed {what} to {who} and has expired.";
  if (reason == 11) return "No rule allows this request of {who} to {what}.";
  if (reason == 12) return "The authorizer failed, so the request was refused.";
  if (reason == 13) return "The authorizer failed, so the request was refused.";
  return "The authorizer failed, so the request was refused.";
}
/** What to do about it. */
export function denialAdvice(reason: u32): string {
  if (reason == 0) return "Call through the mesh: the gateway needs the workload's mTLS certificate with a SPIFFE URI SAN.";
  if (reason == 1) return "Use a certificate with one SPIFFE URI SAN, issued by the mesh.";
  if (reason == 2) return "The platform team lists partners in federatedTrustDomains of the EgressGateway.";
  if (reason == 3) return "Repair the namespace's policies: sallyport validate lists what is wrong.";
  if (reason == 4) return "Use the plain canonical host name, in lower case, and the port of the route.";
  if (reason == 5) return "To upgrade, name the protocol in the rule's upgrades: {ask}.";
  if (reason == 6) return "Use the public host name; the platform team can register an internal service.";
  if (reason == 7) return "Ask the platform team to register the host and port as an ExternalService.";
  if (reason == 8) return "A deny beats every allow: {ask} to change it.";
  if (reason == 9) return "Try again; if it lasts, tell the platform team and name the decision.";
  if (reason == 10) return "To renew it, {ask}.";
  if (reason == 11) return "Add a rule to an EgressPolicy of the workload's namespace, or ask the platform team for one.";
  if (reason == 12) return "Try again; if it lasts, tell the platform team and name the decision.";
  if (reason == 13) return "Try again; if it lasts, tell the platform team and name the decision.";
  return "Try again; if it lasts, tell the platform team and name the decision.";
}
