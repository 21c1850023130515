import type { SeatFilter } from "../envoy-parts/seat.ts";
import type { GatewayListener } from "../listeners.ts";

/** Where Envoy decides HTTP requests itself. */
export interface GatewaySeat extends SeatFilter {
  /** Gives policies in the authorizer's place, without TLS; null for the authorizer itself. Never for a real gateway. */
  readonly standIn: { readonly address: string; readonly port: number } | null;
}

/** What a standalone gateway needs to know besides the policies. Paths are files on the gateway's machine. */
export interface EnvoySettings {
  readonly listenAddress: string;
  /** Port to listen on in place of a listener's own. */
  portOf(listener: GatewayListener): number;
  readonly authorizer: {
    /** Name or address, and port. */
    readonly address: string;
    readonly port: number;
    readonly timeoutMs: number;
    readonly failOpen: boolean;
    /** SPIFFE ID that it must prove. */
    readonly spiffeId: string;
  };
  /** Null where the authorizer is asked about each request. */
  readonly seat: GatewaySeat | null;
  /** The gateway's own certificate. */
  readonly certificate: string;
  readonly key: string;
  /** File of a trust domain's roots. */
  trustBundle(trustDomain: string): string;
  /** Null: callers need a SPIFFE ID. Else a file of roots: whoever they signed may call, as may callers without certificate. Never for a real gateway. */
  readonly laxRoots: string | null;
  /** File of the roots that outside servers are verified with, unless their service names its own. */
  readonly outsideRoots: string;
  /** Directory of secrets, a directory each: `tls.crt` and `tls.key` of a `credentialName`, `ca.crt` of a `caCertificates` that is no path. */
  readonly credentials: string;
  /** Address and port of the DNS server to ask; null for the system's. */
  readonly dnsServer: { readonly address: string; readonly port: number } | null;
  /** CIDR ranges that no registered name may lead to. */
  readonly guardedRanges: readonly string[];
  /** Ports on which a stand-in for the outside answers in place of the services' own; null for the services' own. */
  readonly standIn: {
    readonly address: string;
    readonly tlsPort: number;
    readonly clearPort: number;
    readonly clearHttp2Port: number;
    readonly plainPort: number;
  } | null;
  /** Requests a second that one workload may send through one gateway before any decision is asked for. */
  readonly requestsPerSecond: number;
  /** Connections of workloads that one gateway holds at most. */
  readonly maxConnections: number;
  /** Unix socket of Envoy's administration. */
  readonly adminSocket: string;
  readonly accessLog: string;
}
