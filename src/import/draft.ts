import type { Effect, HostPattern, IdentitySelector, PortProtocol, SourcePosition } from "../policy/model.ts";

/** Whom a rule is for: workloads, or a group of the draft. */
export type DraftSubject = IdentitySelector | { readonly kind: "group"; readonly name: string };

/** Something that exists outside, by one host and one port. */
export interface Claim {
  readonly pattern: HostPattern;
  readonly port: number;
  readonly protocol: PortProtocol;
  readonly tls: DraftTls | null;
  /** CIDRs of a TCP port. */
  readonly addresses: readonly string[];
  /**
   * It keeps a service of its own under a wildcard, and no allow by that wildcard reaches it; the host by which the source
   * registers it.
   */
  readonly apart?: HostPattern;
  readonly at: SourcePosition;
}

/** How clear HTTP becomes HTTPS. */
export interface DraftTls {
  readonly originate: "gateway" | "sidecar";
  readonly port: number;
  readonly subjectAltNames?: readonly string[];
  readonly credentialName?: string;
  readonly caCertificates?: string;
}

/** What a rule is about: hosts, and the registered ones of these ports; null = every registered port. */
export interface Aim {
  readonly pattern: HostPattern;
  readonly ports: readonly number[] | null;
  /** Only where this is what the gateway sees; null = whatever it sees. */
  readonly protocol: PortProtocol | null;
}

/** A rule in the source's own words; which services and ports it concerns is found out when the registry is known. */
export interface DraftRule {
  readonly name: string;
  readonly effect: Effect;
  /** Null = everyone (a root deny). */
  readonly from: readonly DraftSubject[] | null;
  /** Null = every target (a deny). */
  readonly aims: readonly Aim[] | null;
  /** Null = any. A rule with methods, paths or headers aims at HTTP and GRPC ports only. */
  readonly methods: readonly string[] | null;
  readonly paths: readonly string[] | null;
  readonly headers: Readonly<Record<string, readonly string[]>> | null;
  readonly at: SourcePosition;
}

export interface DraftPolicy {
  /** Null = the root. */
  readonly namespace: string | null;
  readonly name: string;
  readonly owner: string;
  readonly rules: readonly DraftRule[];
}

export interface DraftGroup {
  readonly name: string;
  readonly members: readonly IdentitySelector[];
  readonly fallback: "report" | "allow" | null;
}

/** A policy set before it is written down. */
export interface DraftSet {
  readonly gateway: {
    readonly name: string;
    readonly namespace: string;
    readonly trustDomains: readonly string[];
    readonly selector: Readonly<Record<string, string>>;
  };
  readonly claims: readonly Claim[];
  readonly groups: readonly DraftGroup[];
  readonly policies: readonly DraftPolicy[];
}
