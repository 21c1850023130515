/**
 * The engine's own canonicalisation of hosts and identities, as the policy side sees it. There is one implementation
 * (src/engine); validation is handed it, so that what a policy may say and what a request may say cannot drift apart.
 */
export interface Canonicaliser {
  /**
   * Canonical form of an authority (`host[:port]`), or null where the engine would answer `invalid-target`.
   * Non-ASCII text is never accepted here: apply UTS-46 first. `clusterDomain` decides the guarded cluster-local names.
   */
  host(authority: string, clusterDomain: string): CanonicalHost | null;
  /** The parts of a SPIFFE ID, or null where the grammar refuses it. `path` is `""` or starts with `/`. */
  spiffeId(text: string): SpiffeIdParts | null;
}

export interface CanonicalHost {
  readonly kind: "name" | "ipv4" | "ipv6";
  /** Lower case, no trailing dot, no port. */
  readonly host: string;
  /** The explicit port, or null. */
  readonly port: number | null;
  /** An address, a loopback, link-local, metadata, single-label or cluster-local name: reachable only through an internal root service. */
  readonly guarded: boolean;
}

export interface SpiffeIdParts {
  readonly trustDomain: string;
  readonly path: string;
}
