import type { RuleNote } from "../bundle/bundle-reader.ts";
import type { Reason } from "../bundle/reason.ts";
import type { Effect } from "../policy/model.ts";

/** Which kind of question Envoy asks: an HTTP request, a TLS connection by SNI, or another connection by named host. */
export type CheckKind = "http" | "tls" | "tcp";

/** One raw header. A string is taken as UTF-8; bytes are taken as they are (so that undecodable values stay undecodable). */
export type HeaderPair = readonly [name: string, value: string | Uint8Array];

/** A question, raw: nothing is canonicalised or trusted yet. The engine does both. */
export interface CheckInput {
  readonly kind: CheckKind;
  /** `source.principal` as Envoy gave it; empty when there was none. */
  readonly principal: string;
  /** `:authority` (HTTP), SNI (TLS) or the host the generated listener names (TCP). */
  readonly host: string;
  /** The port that the generated route or listener names (`sallyport.port`), as text; null when it names none. */
  readonly port: string | null;
  /** Empty on TLS and TCP. */
  readonly method: string;
  readonly path: string;
  /** All raw pairs with lower-case names, repeated ones repeated; may hold pseudo-headers. Empty on TLS and TCP. */
  readonly headers: readonly HeaderPair[];
}

/** Which inputs, beside identity, kind, host, port and upgrade, the decision depended on. */
export interface Dependencies {
  readonly method: boolean;
  readonly path: boolean;
  readonly contentType: boolean;
  /** Lower-case names. Sorted. */
  readonly headers: readonly string[];
}

export interface Subject {
  /** In canonical form: an alias trust domain is shown as the mesh's own. */
  readonly spiffeId: string;
  /** Set for own-domain identities of the form `/ns/<ns>/sa/<sa>`, else null. */
  readonly namespace: string | null;
  readonly serviceAccount: string | null;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** The engine's answer. Immutable; safe to cache until `validUntil` when `cacheable`. */
export interface Decision {
  readonly effect: Effect;
  readonly reason: Reason;
  /** Ids of all matching rules of the deciding effect (for `rule-expired`: of the expired allows). Sorted. */
  readonly rules: readonly string[];
  readonly shadow: Effect;
  readonly shadowRules: readonly string[];
  /**
   * Next instant (ms since the epoch) at which a window of time could change the answer; null = never. What expressions make of
   * the clock is not in it: such an answer is not `cacheable`.
   */
  readonly validUntil: number | null;
  readonly dependsOn: Dependencies;
  readonly cacheable: boolean;
  /** Null when the identity is absent or malformed. */
  readonly subject: Subject | null;
  /** Null when the target is invalid. */
  readonly target: Target | null;
  /** The service that owns the target, as `name` or `namespace/name`; null when none. */
  readonly service: string | null;
  /** Of the first determining rule; null when none determined. */
  readonly note: RuleNote | null;
}
