import type { Reason } from "../bundle/reason.ts";

/** What someone whose request was decided so can do next; null when there is nothing to do. */
export function nextStep(reason: Reason | string, namespace: string | null): string | null {
  const place = namespace === null ? "the policy directory" : `${namespace}/ of the policy directory`;
  switch (reason) {
    case "no-identity":
      return "the caller needs a certificate with a SPIFFE ID as its URI SAN";
    case "invalid-identity":
      return "the certificate's URI SAN must be one SPIFFE ID: spiffe://cluster.local/ns/NAMESPACE/sa/ACCOUNT";
    case "foreign-trust-domain":
      return "list the domain in the EgressGateway: trustDomains (our own) or federatedTrustDomains (a partner's)";
    case "namespace-invalid":
      return "the namespace's policies have errors; run: sallyport validate";
    case "invalid-target":
      return "write the host in its canonical form: lower case, punycode, no odd port";
    case "upgrade-not-allowed":
      return "name the protocol in `upgrades` of an allow rule; CONNECT is never allowed";
    case "guarded-target":
      return "addresses and cluster names need an ExternalService with `internal: true` in the root directory";
    case "unregistered-target":
      return "register host and port as an ExternalService that this workload sees";
    case "no-matching-rule":
      return `add an allow rule to a policy in ${place}`;
    case "rule-expired":
      return "ask the rule's owner to move `expires`";
    case "denied-by-rule":
      return "a deny beats every allow; talk to the owner of the rule";
    case "fallback-report":
    case "fallback-allow":
      return `only the fallback lets this pass; add an allow rule to a policy in ${place} before it ends`;
    default:
      return null;
  }
}
