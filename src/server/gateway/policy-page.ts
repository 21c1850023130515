import type { IncomingHttpHeaders } from "node:http";
import { type Page, textPage } from "../page.ts";
import type { LoadedPolicies } from "../policy-state.ts";
import { type Lessor, leaseHeaders } from "./lease.ts";

/** Where the policies in force come from. */
export interface PolicySource {
  loaded(): LoadedPolicies | null;
  /** Whether gateways may rely on this server. */
  ready(): boolean;
  readonly lessor: Lessor;
}

/** `/v1/bundle`: the compiled policies, or that they are still those; with a lease for a filter that asks with a nonce. */
export function policyPage(asked: IncomingHttpHeaders, { loaded, ready, lessor }: PolicySource): Page {
  const policies = loaded();
  if (policies === null) return textPage(503, "no policies loaded\n");
  const etag = `"${policies.revision}"`;
  const known = (asked["if-none-match"] ?? "").split(",").map((each) => each.trim().replace(/^W\//, ""));
  const headers = { etag, "cache-control": "no-cache", ...(ready() ? leaseHeaders(asked, policies, lessor) : {}) };
  if (known.includes(etag)) return { status: 304, type: "", body: "", headers };
  return { status: 200, type: "application/octet-stream", body: policies.bundle, headers };
}
