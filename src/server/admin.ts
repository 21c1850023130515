import type { IncomingMessage } from "node:http";
import type { Registry } from "prom-client";
import { formatListenAddress, isLocal, type ListenAddress } from "./address.ts";
import type { ConsolePages } from "./console-page.ts";
import { type PolicySource, policyPage } from "./gateway/policy-page.ts";
import { type HttpPort, openHttpPort } from "./http-port.ts";
import { metricsPage } from "./metrics-page.ts";
import { type Page, sendPage, textPage as text } from "./page.ts";

/** What the admin pages show. */
export interface AdminSources {
  readonly registry: Registry;
  /** Whether Envoy should ask here, and the particulars. */
  readiness(): { readonly ready: boolean } & Readonly<Record<string, unknown>>;
  /** JSON texts of the most recent decisions, newest first. */
  recent(): readonly string[];
  readonly policies: PolicySource;
  /** This server and the gateways that decide themselves, by their leases. */
  seats(): Readonly<Record<string, unknown>>;
  readonly console: ConsolePages;
}

/** Connections beyond these are refused: the port is for a few people and programs of this machine. */
const LIMITS = { maxConnections: 1024, requestMs: 10_000 };

/** Opens the admin port. @throws when others could reach it, or the address cannot be had */
export async function openAdmin(address: ListenAddress, sources: AdminSources): Promise<HttpPort> {
  if (!isLocal(address)) {
    throw new Error(`${formatListenAddress(address)} is reachable from outside: the admin port is for loopback only`);
  }
  return openHttpPort(address, LIMITS, (request, response) => {
    answer(request, sources).then(
      (page) => sendPage(request, response, page),
      () => sendPage(request, response, text(500, "failed\n")),
    );
  });
}

async function answer(request: IncomingMessage, sources: AdminSources): Promise<Page> {
  if (request.method !== "GET" && request.method !== "HEAD") return text(405, "GET only\n", { allow: "GET, HEAD" });
  if (!isLocalHost(request.headers.host)) return text(403, "ask by address or as localhost\n");
  const [path] = (request.url ?? "").split("?", 1);
  switch (path) {
    case "/livez":
      return text(200, "ok\n");
    case "/readyz": {
      const state = sources.readiness();
      return json(state.ready ? 200 : 503, `${JSON.stringify(state, null, 2)}\n`);
    }
    case "/metrics":
      return metricsPage(sources.registry);
    case "/v1/decisions":
      return json(200, `{"decisions":[${sources.recent().join(",\n")}]}\n`);
    case "/v1/bundle":
      return policyPage(request.headers, sources.policies);
    case "/v1/seats":
      return json(200, `${JSON.stringify(sources.seats(), null, 2)}\n`);
    case "/":
    case "/console":
      return text(302, "/console/\n", { location: "/console/" });
    default:
      return (
        consolePage(path, sources) ??
        text(404, "/livez /readyz /metrics /v1/decisions /v1/bundle /v1/seats /console/\n")
      );
  }
}

function consolePage(path = "", { console: pages }: AdminSources): Page | null {
  return path.startsWith("/console/") ? pages(path.slice("/console/".length)) : null;
}

/** A web page must not reach this port by pointing its own name at loopback. */
function isLocalHost(host: string | undefined): boolean {
  return host === undefined || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host);
}

function json(status: number, body: string): Page {
  return { status, type: "application/json", body };
}
