import type { AuditMode } from "../audit/trail.ts";
import type { ListenAddress } from "./address.ts";
import type { TlsFiles } from "./tls-files.ts";

/** Everything a server is told. Times in milliseconds, sizes in bytes. */
export interface ServerOptions {
  /** The policy directory. */
  readonly policies: string;
  readonly listen: readonly { readonly address: ListenAddress; readonly tls: TlsFiles | null }[];
  /** SPIFFE IDs that may ask over mTLS, exact or with a trailing `/*`. */
  readonly allowedCallers: readonly string[];
  /** How often certificate files are read again. */
  readonly tlsPollMs: number;
  /** Null = no admin port. */
  readonly admin: ListenAddress | null;
  readonly audit: AuditOptions;
  readonly cache: { readonly maxBytes: number };
  readonly reload: { readonly pollMs: number; readonly deadlineMs: number };
  readonly drain: { readonly waitMs: number; readonly limitMs: number };
  /** The wall clock; `Date.now` unless told otherwise. */
  readonly now?: () => number;
}

export type AuditOptions = { readonly mode: AuditMode } & (
  | {
      readonly to: "file";
      readonly path: string;
      readonly maxBytes: number;
      readonly maxFiles: number;
      readonly key: string | null;
    }
  | { readonly to: "stdout" }
  | { readonly to: "none" }
);
