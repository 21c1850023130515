import type { AuditRequire } from "../audit/fan-out.ts";
import type { AuditMode } from "../audit/trail.ts";
import type { ListenAddress } from "./address.ts";
import type { AdmissionOptions } from "./admission.ts";
import type { TlsOptions } from "./certificates/tls-source.ts";
import type { SinkOptions } from "./open-sinks.ts";

/** Everything a server is told. Times in milliseconds, sizes in bytes. */
export interface ServerOptions {
  readonly policies: PolicyPlace;
  readonly listen: readonly ListenAddress[];
  /** Every TCP listener speaks mTLS with it; null = plaintext, which only local addresses may have. */
  readonly tls: TlsOptions | null;
  /** SPIFFE IDs that may ask over mTLS, exact or with a trailing `/*`. */
  readonly allowedCallers: readonly string[];
  /** SPIFFE IDs that may read figures over mTLS, and nothing else; in the same form. */
  readonly metricsReaders: readonly string[];
  /** Null = no admin port. */
  readonly admin: ListenAddress | null;
  /** Null = no port for probes from outside. */
  readonly probes: ListenAddress | null;
  readonly audit: AuditOptions;
  /** PEM file of the key that signs what gateways are given; null where nothing is signed. */
  readonly bundle: { readonly key: string | null };
  /** How long before a rule expires the trail tells of it; 0 = only when it has. */
  readonly exceptions: { readonly leadMs: number };
  readonly overload: AdmissionOptions;
  readonly cache: { readonly maxBytes: number };
  readonly reload: { readonly pollMs: number; readonly deadlineMs: number };
  /** The directory where the policies in force are kept for the next run; null = nowhere. */
  readonly state: string | null;
  readonly drain: { readonly waitMs: number; readonly limitMs: number };
  /** Where spans of Checks go, and which share of those without a parent; null = nowhere. */
  readonly traces: { readonly endpoint: string; readonly ratio: number } | null;
  /** The wall clock; `Date.now` unless told otherwise. */
  readonly now?: () => number;
}

/** Where policies come from: a directory, or the custom resources of a cluster (kubeconfig null = that of the pod). */
export type PolicyPlace =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "kubernetes"; readonly kubeconfig: string | null; readonly rootNamespace: string };

export interface AuditOptions {
  readonly mode: AuditMode;
  /** None for no trail at all. */
  readonly sinks: readonly SinkOptions[];
  readonly require: AuditRequire;
  /** Headers whose values are recorded, in lower case; exclusion wins. */
  readonly headers: { readonly include: readonly string[]; readonly exclude: readonly string[] };
}
