/**
 * The oracle, part 1: docs/semantics.md §1. Raw documents, as their author wrote them, become one world.
 * They are taken to be valid: what is refused, and how, is not the oracle's business.
 */

/** A document with the directory it lies in: `""` = the top of the policy directory, else the name of the subdirectory. */
export interface PlacedDocument {
  readonly place: string;
  readonly doc: unknown;
}

export type Effect = "allow" | "deny";
export type Fallback = "deny" | "report" | "allow";

/** Exactly one key is set. */
export interface Selector {
  readonly group?: string;
  readonly serviceAccount?: string;
  readonly namespace?: string;
  readonly spiffe?: string;
  readonly trustDomain?: string;
}

export interface RuleTarget {
  readonly service?: string;
  readonly hosts?: readonly string[];
  readonly ports?: readonly number[];
  readonly methods?: readonly string[];
  readonly paths?: readonly string[];
  readonly headers?: Readonly<Record<string, readonly string[]>>;
}

export interface Rule {
  readonly name: string;
  readonly effect?: Effect;
  readonly from?: readonly Selector[];
  readonly to?: readonly RuleTarget[];
  readonly upgrades?: readonly string[];
  readonly notBefore?: string;
  readonly expires?: string;
  readonly when?: string;
}

/** `scope` is the namespace, `""` for the root: global. */
export interface Service {
  readonly scope: string;
  readonly name: string;
  readonly hosts: readonly string[];
  readonly ports: readonly { readonly number: number; readonly protocol: string }[];
  readonly internal: boolean;
}

export interface Group {
  readonly scope: string;
  readonly name: string;
  readonly members: readonly Selector[];
  readonly fallback: Fallback | null;
}

export interface Policy {
  readonly scope: string;
  readonly name: string;
  readonly enforced: boolean;
  readonly rules: readonly Rule[];
}

/** Everything a decision needs to know. */
export interface World {
  readonly allowAny: boolean;
  /** The first is the mesh's own, the others its aliases. */
  readonly trustDomains: readonly string[];
  readonly federated: readonly string[];
  readonly clusterDomain: string;
  readonly fallback: Fallback;
  readonly services: readonly Service[];
  readonly groups: readonly Group[];
  readonly policies: readonly Policy[];
  readonly invalidNamespaces: readonly string[];
}

interface GatewaySpec {
  readonly securityModel?: string;
  readonly trustDomains?: readonly string[];
  readonly federatedTrustDomains?: readonly string[];
  readonly clusterDomain?: string;
  readonly fallback?: Fallback;
}

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: unknown;
}

/** Reads a set. The place decides whose a document is; only at the top its own namespace is heard (§1). */
export function readWorld(placed: readonly PlacedDocument[], invalidNamespaces: readonly string[]): World {
  const documents = placed.map(({ place, doc }) => ({ place, doc: doc as Document }));
  const gateway = documents.find(({ doc }) => doc.kind === "EgressGateway");
  if (gateway === undefined) throw new Error("a set has one EgressGateway");
  const root = gateway.place === "" ? gateway.doc.metadata.namespace : gateway.place;
  const ofKind = <Spec>(kind: string) =>
    documents
      .filter(({ doc }) => doc.kind === kind)
      .map(({ place, doc }) => {
        const namespace = place === "" ? (doc.metadata.namespace ?? root) : place;
        const scope = namespace === root ? "" : (namespace ?? "");
        return { scope, name: doc.metadata.name, spec: doc.spec as Spec };
      });
  const spec = gateway.doc.spec as GatewaySpec;
  const allowAny = spec.securityModel === "AllowAny";
  return {
    allowAny,
    trustDomains: spec.trustDomains ?? ["cluster.local"],
    federated: spec.federatedTrustDomains ?? [],
    clusterDomain: spec.clusterDomain ?? "cluster.local",
    fallback: spec.fallback ?? (allowAny ? "report" : "deny"),
    services: ofKind<Omit<Service, "scope" | "name" | "internal"> & { internal?: boolean }>("ExternalService").map(
      ({ scope, name, spec: { hosts, ports, internal } }) => ({
        ...{ scope, name, hosts, ports },
        internal: scope === "" && internal === true,
      }),
    ),
    groups: ofKind<{ members: Selector[]; fallback?: Fallback }>("IdentityGroup").map(
      ({ scope, name, spec: { members, fallback } }) => ({ scope, name, members, fallback: fallback ?? null }),
    ),
    policies: ofKind<{ mode?: string; rules: Rule[] }>("EgressPolicy").map(
      ({ scope, name, spec: { mode, rules } }) => ({ scope, name, enforced: mode !== "report", rules }),
    ),
    invalidNamespaces,
  };
}

/** What a name in a document of `scope` means: the namespace's own first, else the global one of that name. */
export function named<T extends { scope: string; name: string }>(
  all: readonly T[],
  scope: string,
  name: string,
): T | null {
  const find = (where: string) => all.find((each) => each.scope === where && each.name === name);
  return find(scope) ?? find("") ?? null;
}
