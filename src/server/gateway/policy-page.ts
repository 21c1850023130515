import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { type Page, sendPage, textPage } from "../page.ts";
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

/** Serves that page, and nothing else, on connections that are handed to it: it listens nowhere itself. */
export function createPolicyServer(source: PolicySource): Server {
  const server = createServer((request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      sendPage(request, response, textPage(405, "GET only\n", { allow: "GET, HEAD" }));
    } else if ((request.url ?? "").split("?", 1)[0] !== "/v1/bundle") {
      sendPage(request, response, textPage(404, "/v1/bundle\n"));
    } else sendPage(request, response, policyPage(request.headers, source));
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 5_000;
  return server;
}
