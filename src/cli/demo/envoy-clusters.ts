import type { ExternalService } from "../../policy/model.ts";
import type { GatewayPlan } from "./envoy-config.ts";

const TYPE = "type.googleapis.com/envoy";

/** A file of roots, as Envoy's configuration names one. */
export function caFile(filename: string): object {
  return { filename };
}

function loopback(name: string, port: number): object {
  const address = { socket_address: { address: "127.0.0.1", port_value: port } };
  return {
    name,
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

function protocols(options: object): object {
  return {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": `${TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions`,
      ...options,
    },
  };
}

/** The authorizer: HTTP/2 over mTLS, and only to a server with its identity. */
export function pdpCluster(plan: GatewayPlan): object {
  const own = plan.set.gateway.trustDomains[0] ?? "";
  return {
    ...loopback("pdp", plan.pdp.port),
    typed_extension_protocol_options: protocols({ explicit_http_config: { http2_protocol_options: {} } }),
    transport_socket: {
      name: "tls",
      typed_config: {
        "@type": `${TYPE}.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
        common_tls_context: {
          alpn_protocols: ["h2"],
          tls_certificates: [
            {
              certificate_chain: { filename: plan.certificates.certificate },
              private_key: { filename: plan.certificates.key },
            },
          ],
          validation_context: {
            trusted_ca: caFile(plan.trustBundles[own] ?? ""),
            match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: plan.pdp.spiffeId } }],
          },
        },
      },
    },
  };
}

/** A service outside: one pool of TLS connections that all workloads share; SNI and verified name follow the host. */
export function httpCluster(plan: GatewayPlan, service: ExternalService): object {
  const name = `http/${service.scope}/${service.name}`;
  const plain = service.tls?.originate === "none" || service.tls === null;
  const grpc = service.ports.some(({ protocol }) => protocol === "GRPC");
  const http = grpc ? { http2_protocol_options: {} } : { http_protocol_options: {} };
  const names = plain ? {} : { upstream_http_protocol_options: { auto_sni: true, auto_san_validation: true } };
  const cluster = {
    ...loopback(name, plain ? plan.upstream.plainPort : plan.upstream.tlsPort),
    typed_extension_protocol_options: protocols({ explicit_http_config: http, ...names }),
  };
  if (plain) return cluster;
  return {
    ...cluster,
    transport_socket: {
      name: "tls",
      typed_config: {
        "@type": `${TYPE}.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
        common_tls_context: { validation_context: { trusted_ca: caFile(plan.upstream.ca) } },
      },
    },
  };
}

/** Bytes as they are. */
export function tcpCluster(name: string, port: number): object {
  return loopback(name, port);
}
