import type { TlsOrigination } from "../../policy/model.ts";
import { extension, typed } from "../envoy-parts/typed.ts";
import { hostCidr } from "../public-addresses.ts";
import { isWildcard } from "../services.ts";
import type { Outlet } from "./outlet.ts";
import type { EnvoySettings } from "./settings.ts";

const TLS = "extensions.transport_sockets.tls.v3";

function file(filename: string): object {
  return { filename };
}

function ownCertificate({ certificate, key }: EnvoySettings): object {
  return { tls_certificates: [{ certificate_chain: file(certificate), private_key: file(key) }] };
}

/** mTLS that demands a URI SAN and binds each root to its trust domain, so that a partner's CA cannot mint our identities. */
export function downstreamTls(
  settings: EnvoySettings,
  trustDomains: readonly string[],
  alpn: readonly string[],
): object {
  const { laxRoots } = settings;
  const spiffe = {
    custom_validator_config: extension("envoy.tls.cert_validator.spiffe", `${TLS}.SPIFFECertValidatorConfig`, {
      trust_domains: trustDomains.map((name) => ({ name, trust_bundle: file(settings.trustBundle(name)) })),
    }),
  };
  return extension("tls", `${TLS}.DownstreamTlsContext`, {
    require_client_certificate: laxRoots === null,
    common_tls_context: {
      ...(alpn.length === 0 ? {} : { alpn_protocols: alpn }),
      tls_params: { tls_minimum_protocol_version: "TLSv1_2" },
      ...ownCertificate(settings),
      validation_context: laxRoots === null ? spiffe : { trusted_ca: file(laxRoots) },
    },
  });
}

/** TLS to the authorizer, and only to a server with its identity: gRPC (`h2`), or policies (`http/1.1`). */
export function authorizerTls(settings: EnvoySettings, trustDomain: string, alpn: "h2" | "http/1.1"): object {
  return extension("tls", `${TLS}.UpstreamTlsContext`, {
    common_tls_context: {
      alpn_protocols: [alpn],
      tls_params: { tls_minimum_protocol_version: "TLSv1_2" },
      ...ownCertificate(settings),
      validation_context: {
        trusted_ca: file(settings.trustBundle(trustDomain)),
        match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: settings.authorizer.spiffeId } }],
      },
    },
  });
}

/** TLS to a server outside: always with a name to verify, which the cluster takes from the request only for wildcards. */
export function outsideTls(
  settings: EnvoySettings,
  { host }: Outlet,
  origination: TlsOrigination,
  alpn: string,
): object {
  const { subjectAltNames, minVersion, credentialName, caCertificates } = origination;
  const address = hostCidr(host) !== null;
  const names = subjectAltNames.length > 0 ? subjectAltNames : isWildcard(host) ? [] : [host];
  const credential = `${settings.credentials}/${credentialName}`;
  return extension("tls", `${TLS}.UpstreamTlsContext`, {
    ...(address || isWildcard(host) ? {} : { sni: host }),
    common_tls_context: {
      alpn_protocols: [alpn],
      tls_params: {
        tls_minimum_protocol_version: minVersion === "TLSV1_3" ? "TLSv1_3" : "TLSv1_2",
        tls_maximum_protocol_version: "TLSv1_3",
      },
      ...(credentialName === null
        ? {}
        : {
            tls_certificates: [
              { certificate_chain: file(`${credential}/tls.crt`), private_key: file(`${credential}/tls.key`) },
            ],
          }),
      validation_context: {
        trusted_ca: file(rootsOf(settings, caCertificates)),
        ...(names.length === 0 ? {} : { match_typed_subject_alt_names: names.map(nameToVerify) }),
      },
    },
  });
}

/** A file as it is, or the roots in a secret's directory. */
function rootsOf({ outsideRoots, credentials }: EnvoySettings, caCertificates: string | null): string {
  if (caCertificates === null) return outsideRoots;
  return caCertificates.startsWith("/") ? caCertificates : `${credentials}/${caCertificates}/ca.crt`;
}

function nameToVerify(name: string): object {
  if (hostCidr(name) !== null) return { san_type: "IP_ADDRESS", matcher: { exact: name.replace(/[[\]]/g, "") } };
  return { san_type: name.includes("://") ? "URI" : "DNS", matcher: { exact: name } };
}

/** Bytes to a listener inside this Envoy, with the filter state that is marked for it. */
export function internalTransport(): object {
  return extension("internal_upstream", "extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport", {
    transport_socket: {
      name: "raw_buffer",
      typed_config: typed("extensions.transport_sockets.raw_buffer.v3.RawBuffer", {}),
    },
  });
}
