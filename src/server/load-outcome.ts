import type { Diagnostic } from "../policy/diagnostic.ts";
import type { StaleNamespace } from "../policy/isolate.ts";
import type { PackedExceptions } from "./exception-list.ts";
import type { PolicyInput } from "./policy-source.ts";
import type { FilesSummary, PolicySummary } from "./policy-summary.ts";

/** What came of looking at the policies once. Plain data: it crosses a thread boundary. */
export type LoadOutcome =
  | { readonly kind: "unchanged"; readonly directories: readonly string[] }
  | {
      readonly kind: "loaded";
      readonly digest: string;
      readonly directories: readonly string[];
      /** The bundle's, so that who answers need not read it all. */
      readonly revision: string;
      readonly bundle: Uint8Array;
      readonly stale: readonly StaleNamespace[];
      readonly warnings: readonly Diagnostic[];
      readonly summary: PolicySummary;
      readonly exceptions: PackedExceptions;
      /** What a later load in another thread needs to know of this one; opaque, and written over by the load after the next. */
      readonly memory: Uint8Array;
      /** It was compiled by an earlier run of the server from the same files, and kept. */
      readonly isKept?: true;
    }
  | {
      readonly kind: "rejected";
      readonly digest: string;
      readonly directories: readonly string[];
      readonly diagnostics: readonly Diagnostic[];
      readonly summary: FilesSummary;
    }
  | { readonly kind: "empty"; readonly digest: string; readonly directories: readonly string[] }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "timeout" };

/** What the compile worker begins with. */
export interface WorkerStart {
  /** Of the last load of a thread before it. */
  readonly memory: Uint8Array | null;
  /** The directory where loads are kept for the next run; null = nowhere. */
  readonly state: string | null;
}

/** What the compile worker says: the outcome of a load, or why one could not be kept. */
export type WorkerMessage = { readonly id: number; readonly outcome: LoadOutcome } | { readonly notKept: string };

/** A question to the compile worker. */
export interface LoadRequest {
  readonly id: number;
  readonly input: PolicyInput;
  /** Contents with this digest are known already. */
  readonly knownDigest: string | null;
}
