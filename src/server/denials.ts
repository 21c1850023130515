/** What a refused caller is told. Only canonical and policy-side texts go in: nothing of path, query or headers. */
export interface DenialText {
  /** What happened, in one sentence. */
  readonly message: string;
  /** What to do about it, in one sentence. */
  readonly howToGetAccess: string;
}

/**
 * The texts by reason, for the server and the gateway's filter. `{who}` is the workload, `{what}` the target, `{rule}` the first rule,
 * `{ask}` whom to ask, `{why}` the rule's reason in brackets.
 */
export const DENIALS: Readonly<Record<string, DenialText>> = {
  "no-identity": {
    message: "The connection carried no workload identity.",
    howToGetAccess: "Call through the mesh: the gateway needs the workload's mTLS certificate with a SPIFFE URI SAN.",
  },
  "invalid-identity": {
    message: "The connection's identity is not exactly one valid SPIFFE ID.",
    howToGetAccess: "Use a certificate with one SPIFFE URI SAN, issued by the mesh.",
  },
  "foreign-trust-domain": {
    message: "The trust domain of {who} is neither the mesh's own nor a partner's.",
    howToGetAccess: "The platform team lists partners in federatedTrustDomains of the EgressGateway.",
  },
  "namespace-invalid": {
    message: "The policies of the namespace of {who} are invalid, so all its traffic is refused.",
    howToGetAccess: "Repair the namespace's policies: sallyport validate lists what is wrong.",
  },
  "invalid-target": {
    message: "The requested host or port cannot be understood without doubt.",
    howToGetAccess: "Use the plain canonical host name, in lower case, and the port of the route.",
  },
  "upgrade-not-allowed": {
    message: "No rule lets {who} upgrade connections to {what} to this protocol.",
    howToGetAccess: "To upgrade, name the protocol in the rule's upgrades: {ask}.",
  },
  "guarded-target": {
    message: "{what} is an address or an internal name, which is closed to everyone.",
    howToGetAccess: "Use the public host name; the platform team can register an internal service.",
  },
  "unregistered-target": {
    message: "No external service is registered for {what} that {who} may see.",
    howToGetAccess: "Ask the platform team to register the host and port as an ExternalService.",
  },
  "denied-by-rule": {
    message: "{rule} denies {what} to {who}{why}.",
    howToGetAccess: "A deny beats every allow: {ask} to change it.",
  },
  "rule-expired": {
    message: "{rule} allowed {what} to {who} and has expired.",
    howToGetAccess: "To renew it, {ask}.",
  },
  "no-matching-rule": {
    message: "No rule allows this request of {who} to {what}.",
    howToGetAccess: "Add a rule to an EgressPolicy of the workload's namespace, or ask the platform team for one.",
  },
  "no-policy": {
    message: "The authorizer has no policies loaded, so nothing passes.",
    howToGetAccess: "Try again soon; if it lasts, tell the platform team.",
  },
  "audit-failed": {
    message: "The authorizer cannot write its audit trail, so nothing passes.",
    howToGetAccess: "Try again soon; if it lasts, tell the platform team.",
  },
};

/** The text of every other reason. */
export const OTHERWISE: DenialText = {
  message: "The authorizer failed, so the request was refused.",
  howToGetAccess: "Try again; if it lasts, tell the platform team and name the decision.",
};
