import type { ExternalService, PolicySet } from "../../policy/model.ts";
import { caFile, httpCluster, pdpCluster, tcpCluster } from "./envoy-clusters.ts";

/** What a gateway on loopback needs to know. All ports are loopback ports. */
export interface GatewayPlan {
  readonly set: PolicySet;
  /** Dialled HTTP or GRPC port of services → port the gateway listens on. */
  readonly httpPorts: Readonly<Record<number, number>>;
  /** Where application TLS and TCP arrive: told apart by the outer SNI (the host; TCP: `tcp-<port>.<host>`). */
  readonly networkPort: number;
  readonly pdp: { readonly port: number; readonly spiffeId: string; readonly timeoutMs: number };
  /** Stands in for everything outside. */
  readonly upstream: { readonly tlsPort: number; readonly plainPort: number; readonly ca: string };
  readonly certificates: { readonly certificate: string; readonly key: string };
  /** Trust domain → file of its roots. */
  readonly trustBundles: Readonly<Record<string, string>>;
  /** Null: callers need a SPIFFE ID. Else a file of roots: whoever they signed may call, as may callers without certificate. */
  readonly laxRoots: string | null;
  readonly adminSocket: string;
  readonly accessLog: string;
}

const TYPE = "type.googleapis.com/envoy";
const LIFETIME = "3600s";

/** A whole bootstrap for a standalone Envoy gateway. Deterministic. */
export function envoyConfig(plan: GatewayPlan): object {
  const { services } = plan.set;
  return {
    admin: { address: { pipe: { path: plan.adminSocket, mode: 0o600 } } },
    static_resources: {
      listeners: [
        ...Object.entries(plan.httpPorts).map(([port, listen]) => httpListener(plan, Number(port), listen)),
        networkListener(plan),
      ],
      clusters: [
        pdpCluster(plan),
        ...services.filter(hasHttp).map((service) => httpCluster(plan, service)),
        tcpCluster("application-tls", plan.upstream.tlsPort),
        tcpCluster("plain-tcp", plan.upstream.plainPort),
        { name: "nowhere", type: "STATIC", connect_timeout: "1s" },
      ],
    },
  };
}

function hasHttp(service: ExternalService): boolean {
  return service.ports.some(({ protocol }) => protocol === "HTTP" || protocol === "GRPC");
}

/** mTLS that demands a URI SAN and binds each root to its trust domain, so that a partner's CA cannot mint our identities. */
function downstreamTls(plan: GatewayPlan, alpn: readonly string[]): object {
  const { certificate, key } = plan.certificates;
  return {
    name: "tls",
    typed_config: {
      "@type": `${TYPE}.extensions.transport_sockets.tls.v3.DownstreamTlsContext`,
      require_client_certificate: plan.laxRoots === null,
      common_tls_context: {
        alpn_protocols: alpn,
        tls_params: { tls_minimum_protocol_version: "TLSv1_2" },
        tls_certificates: [{ certificate_chain: { filename: certificate }, private_key: { filename: key } }],
        validation_context: plan.laxRoots === null ? spiffeValidator(plan) : { trusted_ca: caFile(plan.laxRoots) },
      },
    },
  };
}

function spiffeValidator(plan: GatewayPlan): object {
  return {
    custom_validator_config: {
      name: "envoy.tls.cert_validator.spiffe",
      typed_config: {
        "@type": `${TYPE}.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig`,
        trust_domains: Object.entries(plan.trustBundles).map(([name, file]) => ({
          name,
          trust_bundle: caFile(file),
        })),
      },
    },
  };
}

function authorizer(plan: GatewayPlan, metadata: readonly { readonly key: string; readonly value: string }[]): object {
  return {
    transport_api_version: "V3",
    failure_mode_allow: false,
    include_peer_certificate: true,
    include_tls_session: true,
    grpc_service: {
      timeout: `${plan.pdp.timeoutMs / 1000}s`,
      envoy_grpc: {
        cluster_name: "pdp",
        retry_policy: { retry_on: "connect-failure,refused-stream,unavailable", num_retries: 1 },
      },
      ...(metadata.length === 0 ? {} : { initial_metadata: metadata }),
    },
  };
}

function httpListener(plan: GatewayPlan, port: number, listen: number): object {
  return {
    name: `http-${port}`,
    address: { socket_address: { address: "127.0.0.1", port_value: listen } },
    filter_chains: [
      { transport_socket: downstreamTls(plan, ["h2", "http/1.1"]), filters: [connectionManager(plan, port)] },
    ],
  };
}

function connectionManager(plan: GatewayPlan, port: number): object {
  return {
    name: "http",
    typed_config: {
      "@type": `${TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: `egress-${port}`,
      // Nothing of the caller's certificate leaves the mesh.
      forward_client_cert_details: "SANITIZE",
      // Paths go on as they came: what was decided is what is forwarded, and ambiguous ones are refused by path rules.
      normalize_path: false,
      // CONNECT only meets routes that refuse it; were it off here, Envoy would refuse it without asking for a decision.
      strip_trailing_host_dot: true,
      upgrade_configs: [{ upgrade_type: "websocket" }, { upgrade_type: "CONNECT" }],
      common_http_protocol_options: { max_connection_duration: LIFETIME, max_stream_duration: LIFETIME },
      access_log: [accessLog(plan, "http")],
      route_config: {
        name: `egress-${port}`,
        ignore_port_in_host_matching: true,
        virtual_hosts: [...virtualHosts(plan, port), catchAll(port)],
      },
      http_filters: [
        {
          name: "envoy.filters.http.ext_authz",
          typed_config: {
            "@type": `${TYPE}.extensions.filters.http.ext_authz.v3.ExtAuthz`,
            ...authorizer(plan, []),
            encode_raw_headers: true,
            validate_mutations: true,
            status_on_error: { code: "Forbidden" },
          },
        },
        {
          name: "envoy.filters.http.router",
          typed_config: { "@type": `${TYPE}.extensions.filters.http.router.v3.Router`, suppress_envoy_headers: true },
        },
      ],
    },
  };
}

/** The named port of a route, by which the authorizer knows what Envoy will dial. */
function named(port: number): object {
  return {
    "envoy.filters.http.ext_authz": {
      "@type": `${TYPE}.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute`,
      check_settings: { context_extensions: { "sallyport.port": String(port) } },
    },
  };
}

function refusal(port: number, match: object): object {
  const body = { inline_string: "no route leaves the mesh from here\n" };
  return { match, direct_response: { status: 403, body }, typed_per_filter_config: named(port) };
}

function virtualHosts(plan: GatewayPlan, port: number): object[] {
  return plan.set.services.flatMap((service) => {
    const fits = service.ports.some((each) => each.number === port && /^(HTTP|GRPC)$/.test(each.protocol));
    if (!fits) return [];
    return [
      {
        name: `${service.scope}/${service.name}`,
        domains: service.hosts,
        routes: [
          refusal(port, { connect_matcher: {} }),
          {
            match: { prefix: "/" },
            route: { cluster: `http/${service.scope}/${service.name}`, timeout: "30s" },
            typed_per_filter_config: named(port),
          },
        ],
      },
    ];
  });
}

/** Whatever no service registers is still asked about, so that each refusal has its record. */
function catchAll(port: number): object {
  return {
    name: "catch-all",
    domains: ["*"],
    routes: [refusal(port, { connect_matcher: {} }), refusal(port, { prefix: "/" })],
  };
}

/** Application TLS and TCP, carried inside mTLS so that the workload is known. Nothing is dialled before the decision. */
function networkListener(plan: GatewayPlan): object {
  const chains = plan.set.services.flatMap((service) =>
    service.ports.flatMap(({ number, protocol }) =>
      service.hosts.flatMap((host) => {
        if (protocol === "HTTP" || protocol === "GRPC") return [];
        return [networkChain(plan, host, number, protocol === "TCP")];
      }),
    ),
  );
  return {
    name: "network",
    address: { socket_address: { address: "127.0.0.1", port_value: plan.networkPort } },
    listener_filters: [
      {
        name: "envoy.filters.listener.tls_inspector",
        typed_config: { "@type": `${TYPE}.extensions.filters.listener.tls_inspector.v3.TlsInspector` },
      },
    ],
    filter_chains: [...chains, unknownChain(plan)],
  };
}

/** A name that no service registers: asked about by its SNI, so that the refusal has its record; it leads nowhere. */
function unknownChain(plan: GatewayPlan): object {
  return {
    name: "unknown",
    ...networkFilters(plan, "unknown", "nowhere", [{ key: "sallyport-port", value: "443" }]),
  };
}

function networkChain(plan: GatewayPlan, host: string, port: number, tcp: boolean): object {
  const sni = tcp ? `tcp-${port}.${host}` : host;
  const metadata = [{ key: "sallyport-port", value: String(port) }];
  if (tcp) metadata.unshift({ key: "sallyport-host", value: host });
  const match = { filter_chain_match: { server_names: [sni] } };
  return { name: sni, ...match, ...networkFilters(plan, sni, tcp ? "plain-tcp" : "application-tls", metadata) };
}

function networkFilters(
  plan: GatewayPlan,
  name: string,
  cluster: string,
  metadata: readonly { readonly key: string; readonly value: string }[],
): object {
  return {
    transport_socket: downstreamTls(plan, []),
    filters: [
      {
        name: "envoy.filters.network.ext_authz",
        typed_config: {
          "@type": `${TYPE}.extensions.filters.network.ext_authz.v3.ExtAuthz`,
          stat_prefix: `network-${name}`,
          ...authorizer(plan, metadata),
        },
      },
      {
        name: "envoy.filters.network.tcp_proxy",
        typed_config: {
          "@type": `${TYPE}.extensions.filters.network.tcp_proxy.v3.TcpProxy`,
          stat_prefix: `network-${name}`,
          cluster,
          upstream_connect_mode: "ON_DOWNSTREAM_DATA",
          max_early_data_bytes: 16_384,
          max_downstream_connection_duration: LIFETIME,
          access_log: [accessLog(plan, "network")],
        },
      },
    ],
  };
}

function accessLog(plan: GatewayPlan, kind: "http" | "network"): object {
  const metadata = `%DYNAMIC_METADATA(envoy.filters.${kind}.ext_authz`;
  return {
    name: "file",
    typed_config: {
      "@type": `${TYPE}.extensions.access_loggers.file.v3.FileAccessLog`,
      path: plan.accessLog,
      log_format: {
        json_format: {
          time: "%START_TIME%",
          peer: "%DOWNSTREAM_PEER_URI_SAN%",
          authority: "%REQ(:AUTHORITY)%",
          code: "%RESPONSE_CODE%",
          flags: "%RESPONSE_FLAGS%",
          decision: `${metadata}:decision_id)%`,
          reason: `${metadata}:reason)%`,
        },
      },
    },
  };
}
