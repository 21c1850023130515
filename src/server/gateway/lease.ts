import type { IncomingHttpHeaders } from "node:http";
import type { AuditMode } from "../../audit/trail.ts";
import type { LoadedPolicies } from "../policy-state.ts";
import type { LeaseSigner } from "./lease-signer.ts";
import type { Leases } from "./leases.ts";
import type { Sequences } from "./sequences.ts";

/** How long a gateway may decide by itself, from the moment it asked. A revocation is in force everywhere after that. */
const LEASE_MS = 5_000;
const NAME = /^[0-9a-f]{32}$/;
const REVISION = /^"(sha256:[0-9a-f]{64})"$/;
const NUMBER = /^\d{1,15}$/;

/** What grants leases. */
export interface Lessor {
  readonly mode: AuditMode;
  readonly sequences: Sequences;
  readonly leases: Leases;
  /** Names of the headers that are recorded. */
  readonly recordedHeaders: readonly string[];
  /** Null where nothing is signed. */
  readonly sign: LeaseSigner | null;
}

/**
 * What grants a gateway's filter the right to decide by the policies in force: it repeats the filter's nonce, so that no other answer can be
 * taken for it, and names a generation, which never decreases, so that an older server cannot bring revoked policies back.
 * Nothing for those who did not ask with a nonce. In mode `strict` a lease is shorter by the time for which decisions of the worker have been
 * missing from the trail: unrecorded ones are bounded by one lease.
 */
export function leaseHeaders(
  asked: IncomingHttpHeaders,
  { generation, revision }: LoadedPolicies,
  { mode, sequences, leases, recordedHeaders, sign }: Lessor,
): Record<string, string> {
  const nonce = asked["x-sallyport-nonce"];
  const worker = asked["x-sallyport-worker"];
  const sequence = asked["x-sallyport-sequence"];
  if (!isMatch(NAME, nonce) || !isMatch(NAME, worker) || !isMatch(NUMBER, sequence)) return {};
  const missingMs = sequences.told(worker, Number(sequence));
  const leaseMs = mode === "strict" ? Math.floor(LEASE_MS - missingMs) : LEASE_MS;
  if (leaseMs <= 0) return {};
  const runs = REVISION.exec(asked["if-none-match"] ?? "")?.[1] ?? null;
  leases.granted({ worker, runs, revision, leaseMs });
  const recorded = recordedHeaders.join(",");
  return {
    ...(sign === null ? {} : { "x-sallyport-signature": sign({ nonce, revision, generation, leaseMs, recorded }) }),
    "x-sallyport-nonce": nonce,
    "x-sallyport-lease-ms": String(leaseMs),
    "x-sallyport-generation": String(generation),
    ...(recorded === "" ? {} : { "x-sallyport-record-headers": recorded }),
  };
}

function isMatch(pattern: RegExp, text: string | string[] | undefined): text is string {
  return typeof text === "string" && pattern.test(text);
}
