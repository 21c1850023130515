/**
 * The policy language after parsing and validation: canonical, defaulted, resolved. Everything downstream (bundle,
 * generators, analysis) reads this and nothing else. Values are immutable; compare with plain equality.
 * @see docs/semantics.md
 */

/** Where something was written. `file` is relative to the policy directory with `/` separators; line and column count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type Effect = "allow" | "deny";
export type Mode = "enforce" | "report";
export type Fallback = "deny" | "report" | "allow";
export type SecurityModel = "AllowAny" | "RegistryOnly" | "Gateway";
export type PortProtocol = "HTTP" | "HTTPS" | "TLS" | "GRPC" | "TCP";

/**
 * Who sees a document: `""` for the root (global) scope, else the one namespace whose policies and workloads see it.
 * For a policy: `""` speaks for every workload, else only for that namespace's.
 */
export type Scope = string;

/** A canonical host: `api.example.com`, `192.0.2.1`, `[2001:db8::1]`; or a wildcard `*.example.com` (one or more labels, never the apex). */
export type HostPattern = string;

/** One validated set. Collections are sorted by (scope, name), so that file order can never matter. */
export interface PolicySet {
  readonly gateway: EgressGateway;
  readonly services: readonly ExternalService[];
  readonly groups: readonly IdentityGroup[];
  readonly policies: readonly EgressPolicy[];
  /** Namespaces that are refused and have no last good documents: every workload of theirs is denied. Sorted. */
  readonly invalidNamespaces: readonly string[];
}

export interface EgressGateway {
  readonly name: string;
  /** The root namespace. */
  readonly namespace: string;
  readonly at: SourcePosition;
  readonly securityModel: SecurityModel;
  /** First = the mesh's own, the rest = aliases that mean the same workloads. Never empty. */
  readonly trustDomains: readonly string[];
  readonly federatedTrustDomains: readonly string[];
  /** Names under `svc.<clusterDomain>` and `<clusterDomain>` are guarded. Default `cluster.local`. */
  readonly clusterDomain: string;
  readonly fallback: Fallback;
  readonly selector: Readonly<Record<string, string>>;
  readonly authorizer: Authorizer | null;
  /** Who decides HTTP requests. With `gateway` there is an authorizer, which the filter gets its policies from. */
  readonly seat: "server" | "gateway";
  readonly filter: FilterSource;
  /** Of which one must have signed the policies that the filter decides by: SubjectPublicKeyInfo in DER as hexadecimal digits. None: no signature is needed. */
  readonly publicKeys: readonly string[];
}

/** Where a gateway gets the filter's code. */
export type FilterSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "url"; readonly url: string; readonly sha256: string }
  /** The configuration carries it. */
  | { readonly kind: "inline" };

export interface Authorizer {
  readonly service: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly failOpen: boolean;
}

export interface ExternalService {
  readonly scope: Scope;
  readonly name: string;
  readonly at: SourcePosition;
  readonly hosts: readonly HostPattern[];
  readonly ports: readonly ServicePort[];
  readonly tls: TlsOrigination | null;
  readonly connections: ConnectionSettings | null;
  readonly mirror: Mirror | null;
  readonly split: readonly SplitTarget[];
  /** CIDRs of a TCP service. */
  readonly addresses: readonly string[];
  /** Lifts the guard for the hosts listed literally here. Root only. */
  readonly internal: boolean;
}

export interface ServicePort {
  readonly number: number;
  readonly protocol: PortProtocol;
}

export interface TlsOrigination {
  readonly originate: "gateway" | "sidecar" | "none";
  readonly port: number;
  readonly subjectAltNames: readonly string[];
  readonly minVersion: "TLSV1_2" | "TLSV1_3";
  readonly credentialName: string | null;
  readonly caCertificates: string | null;
}

export interface ConnectionSettings {
  readonly maxRequestsPerConnection: number;
  readonly idleTimeoutMs: number;
  readonly share: "all" | "workload";
}

export interface ServiceRef {
  readonly scope: Scope;
  readonly name: string;
}

export interface Mirror {
  readonly service: ServiceRef;
  readonly percent: number;
}

export interface SplitTarget {
  readonly service: ServiceRef;
  readonly weight: number;
}

export interface IdentityGroup {
  readonly scope: Scope;
  readonly name: string;
  readonly at: SourcePosition;
  readonly members: readonly IdentitySelector[];
  readonly fallback: Fallback | null;
}

/**
 * Trust domains are already mapped: an alias became the first (own) domain.
 * `id` and `prefix` paths start with `/` and have no trailing slash; `prefix` means one or more segments below it
 * (`""` = any path of the domain with at least one segment). `serviceAccount: ns/name` is an `id` with path `/ns/<ns>/sa/<name>`.
 */
export type IdentitySelector =
  | { readonly kind: "id"; readonly trustDomain: string; readonly path: string }
  | { readonly kind: "prefix"; readonly trustDomain: string; readonly path: string }
  | { readonly kind: "namespace"; readonly namespace: string }
  | { readonly kind: "trustDomain"; readonly trustDomain: string };

export interface GroupRef {
  readonly kind: "group";
  readonly scope: Scope;
  readonly name: string;
}

export type SubjectSelector = IdentitySelector | GroupRef;

export interface EgressPolicy {
  readonly scope: Scope;
  readonly name: string;
  readonly at: SourcePosition;
  readonly owner: string;
  readonly mode: Mode;
  readonly rules: readonly Rule[];
}

export interface Rule {
  readonly name: string;
  readonly at: SourcePosition;
  readonly effect: Effect;
  /** Null = everyone (a root deny that omits `from`). Never empty. */
  readonly from: readonly SubjectSelector[] | null;
  /** Null = every target, registered or not (a deny that omits `to`). Never empty. */
  readonly to: readonly RuleTarget[] | null;
  /** Lower case protocol tokens. */
  readonly upgrades: readonly string[];
  /** Milliseconds since the epoch. */
  readonly notBefore: number | null;
  readonly expires: number | null;
  /** A further condition, for all targets. */
  readonly when: WhenExpression | null;
  readonly ticket: string | null;
  readonly reason: string | null;
}

/** A condition in CEL, checked. `text` is what the author wrote. */
export interface WhenExpression {
  readonly text: string;
  readonly reads: ExpressionReads;
  /** What an evaluation takes, at most, for the longest inputs: about nanoseconds. */
  readonly cost: number;
}

/** What of a request, beside workload and target, and whether of the clock, an expression can read. */
export interface ExpressionReads {
  readonly method: boolean;
  readonly path: boolean;
  readonly clock: boolean;
  /** Lower case. Sorted. */
  readonly headers: readonly string[];
}

/** Does it read what only an HTTP request shows? */
export function readsRequest({ method, path, headers }: ExpressionReads): boolean {
  return method || path || headers.length > 0;
}

/** Exactly one of `service` and `hosts` is set. Null conditions are absent (always true). */
export interface RuleTarget {
  readonly service: ServiceRef | null;
  readonly hosts: readonly HostPattern[] | null;
  readonly ports: readonly number[] | null;
  readonly methods: readonly string[] | null;
  /** Null also when the list holds `*`: any path, even an ambiguous one. */
  readonly paths: readonly PathPattern[] | null;
  /** Sorted by name. */
  readonly headers: readonly HeaderCondition[];
}

/** `text` is what the author wrote; matched against the request path decoded once. */
export type PathPattern =
  | { readonly kind: "exact"; readonly text: string }
  | { readonly kind: "prefix"; readonly text: string; readonly prefix: string }
  | { readonly kind: "template"; readonly text: string; readonly segments: readonly PathSegment[] };

/** `{*}` = `any`, `{**}` = `rest` (last only). Segment literals hold no slash. */
export type PathSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "any" }
  | { readonly kind: "rest" };

export interface HeaderCondition {
  /** Lower case. */
  readonly name: string;
  readonly values: readonly string[];
}

/** The rule's id: `namespace/policy/rule`, for root policies `policy/rule`. Audit, tests and decisions name rules by it. */
export function ruleId(policy: Pick<EgressPolicy, "scope" | "name">, rule: Pick<Rule, "name">): string {
  const local = `${policy.name}/${rule.name}`;
  return policy.scope === "" ? local : `${policy.scope}/${local}`;
}

/** A test document. It never enters the bundle. */
export interface DecisionTest {
  readonly name: string;
  /** Namespace of the directory it lies in, `""` for the top. */
  readonly scope: Scope;
  readonly at: SourcePosition;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly cases: readonly DecisionCase[];
}

export interface DecisionCase {
  readonly name: string;
  readonly at: SourcePosition;
  /** A SPIFFE ID or `namespace/serviceaccount` in the first trust domain, as written. */
  readonly from: string;
  /** `METHOD http://host[:port]/path`, `METHOD https://…`, `TLS host[:port]`, `TCP host:port`, as written. */
  readonly to: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Protocol named in an `Upgrade` header, or null. */
  readonly upgrade: string | null;
  readonly expect: DecisionExpectation;
}

/** Null = anything. At least one is set. */
export interface DecisionExpectation {
  readonly effect: Effect | null;
  readonly reason: string | null;
  readonly rules: readonly string[] | null;
  readonly shadow: Effect | null;
}
