import type { CheckInput, HeaderPair } from "../pdp/decision.ts";
import { parseRequestText, parseSubjectText } from "../policy/request-text.ts";
import type { Result } from "../policy/result.ts";

/** A request as a person writes it, in a DecisionTest or on the command line. */
export interface WrittenRequest {
  /** A SPIFFE ID, or `namespace/serviceaccount` in the mesh's own trust domain. */
  readonly from: string;
  /** `METHOD http://host[:port]/path`, `METHOD https://…`, `TLS host[:port]` or `TCP host:port`. */
  readonly to: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Protocol of an upgrade, or null. */
  readonly upgrade: string | null;
}

/** A written request as the engine is asked, and what its author should know about it. */
export interface AskedRequest {
  readonly input: CheckInput;
  /** For example that method and path of an `https` request are not visible; null when there is nothing to say. */
  readonly note: string | null;
}

/**
 * Turns a written request into a Check as Envoy would send it. `ownTrustDomain` completes `namespace/serviceaccount`.
 * Headers and upgrades exist on HTTP Checks only; elsewhere they are left out, because Envoy does not see them either.
 * @see docs/semantics.md §6
 */
export function askedRequest(request: WrittenRequest, ownTrustDomain: string): Result<AskedRequest> {
  const principal = parseSubjectText(request.from, ownTrustDomain);
  if (!principal.ok) return principal;
  const to = parseRequestText(request.to);
  if (!to.ok) return to;
  const { kind, host, port, method, path, note } = to.value;
  const headers = kind === "http" ? headerPairs(request) : [];
  return { ok: true, value: { input: { kind, principal: principal.value, host, port, method, path, headers }, note } };
}

function headerPairs(request: WrittenRequest): HeaderPair[] {
  const pairs: HeaderPair[] = Object.entries(request.headers);
  if (request.upgrade === null) return pairs;
  return [...pairs, ["connection", "upgrade"], ["upgrade", request.upgrade]];
}
