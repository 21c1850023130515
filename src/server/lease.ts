import type { IncomingHttpHeaders } from "node:http";
import type { LoadedPolicies } from "./policy-state.ts";

/** How long a gateway may decide by itself, from the moment it asked. A revocation is in force everywhere after that. */
const LEASE_MS = 5_000;
const NONCE = /^[0-9a-f]{32}$/;

/**
 * What grants a gateway's filter the right to decide by the policies in force: it repeats the filter's nonce, so that no other answer can be
 * taken for it, and names a generation, which never decreases, so that an older server cannot bring revoked policies back.
 * Nothing for those who did not ask with a nonce.
 */
export function leaseHeaders(headers: IncomingHttpHeaders, { sinceMs }: LoadedPolicies): Record<string, string> {
  const nonce = headers["x-sallyport-nonce"];
  if (typeof nonce !== "string" || !NONCE.test(nonce)) return {};
  return {
    "x-sallyport-nonce": nonce,
    "x-sallyport-lease-ms": String(LEASE_MS),
    "x-sallyport-generation": String(sinceMs),
  };
}
