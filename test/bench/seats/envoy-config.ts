import { namePort, requestAuthorization } from "../../../src/generate/envoy/authorization.ts";
import {
  AUTHORIZER,
  authorizerCluster,
  bundlesCluster,
  OUTSIDE,
  SEAT_CLUSTERS,
} from "../../../src/generate/envoy/clusters.ts";
import type { EnvoySettings, GatewaySeat } from "../../../src/generate/envoy/settings.ts";
import { downstreamTls } from "../../../src/generate/envoy/tls.ts";
import { REPORT_WHILE_OPEN, reportDecisions, seatFilters } from "../../../src/generate/envoy-parts/seat.ts";
import { extension } from "../../../src/generate/envoy-parts/typed.ts";
import { rbacFilter } from "./rbac.ts";
import { ANSWER, takingRequests } from "./taking-requests.ts";
import { type Outside, upstreamCluster } from "./upstream.ts";
import type { Way } from "./ways.ts";

const TRUST_DOMAIN = "cluster.local";
/** The port that workloads are taken to have dialled. */
const DIALLED = 80;

/** What sets a way's Envoy apart from the others'. */
interface Parts {
  readonly filters: readonly object[];
  readonly clusters: readonly object[];
  readonly perRoute: object;
  /** Of the connection manager. */
  readonly logs: object;
}

const NOTHING: Parts = { filters: [], clusters: [], perRoute: {}, logs: {} };

/**
 * An Envoy that takes HTTP/1.1 over mTLS, decides in the way and answers by itself: what forwarding costs is the same for all ways,
 * and without it what deciding costs shows most. With a server outside it forwards there instead.
 */
export function envoyConfig(
  settings: EnvoySettings,
  way: Way,
  rules: number,
  socket: string,
  outside: Outside | null,
): object {
  const { clusters, ...parts } = partsOf(settings, way, rules, socket);
  return takingRequests({
    ...parts,
    port: settings.portOf({ kind: "http", dialled: DIALLED, port: DIALLED }),
    tls: downstreamTls(settings, [TRUST_DOMAIN], ["http/1.1"]),
    action: outside === null ? ANSWER : { route: { cluster: OUTSIDE } },
    clusters: [...clusters, ...(outside === null ? [] : [upstreamCluster(OUTSIDE, outside, settings.outsideRoots)])],
    adminSocket: settings.adminSocket,
  });
}

/** The trail of the gateway seat. */
const LOGS = { access_log: [reportDecisions(SEAT_CLUSTERS)], access_log_options: REPORT_WHILE_OPEN };

function partsOf(settings: EnvoySettings, { decides, transport }: Way, rules: number, socket: string): Parts {
  if (decides === "rbac") return { ...NOTHING, filters: [rbacFilter(rules)] };
  if (decides === "asks") {
    return {
      ...NOTHING,
      filters: [requestAuthorization(settings)],
      clusters: [transport === "tcp" ? authorizerCluster(settings, TRUST_DOMAIN) : socketCluster(settings, socket)],
      perRoute: namePort(DIALLED),
    };
  }
  if (decides === "logs") return { ...NOTHING, clusters: [authorizerCluster(settings, TRUST_DOMAIN)], logs: LOGS };
  const { seat } = settings;
  if (decides === "filter" && seat !== null) return filterParts(settings, seat);
  return NOTHING;
}

function filterParts(settings: EnvoySettings, seat: GatewaySeat): Parts {
  return {
    ...NOTHING,
    filters: seatFilters(seat, SEAT_CLUSTERS, DIALLED),
    clusters: [authorizerCluster(settings, TRUST_DOMAIN), bundlesCluster(settings, seat, TRUST_DOMAIN)],
    logs: LOGS,
  };
}

/** The same cluster with a Unix socket for its one endpoint, in clear. */
function socketCluster(settings: EnvoySettings, path: string): object {
  const address = { pipe: { path } };
  return {
    ...authorizerCluster(settings, TRUST_DOMAIN),
    load_assignment: { cluster_name: AUTHORIZER, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    transport_socket: extension("raw_buffer", "extensions.transport_sockets.raw_buffer.v3.RawBuffer", {}),
  };
}
