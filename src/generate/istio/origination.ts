import type { ConnectionSettings, ExternalService, PolicySet, TlsOrigination } from "../../policy/model.ts";
import { objectName } from "../services.ts";
import { isRequest, type Leg, requestSubset, upgrades } from "./leg.ts";
import { type IstioObject, istioObject } from "./objects.ts";

/**
 * How the gateway connects to hosts outside: requests go to a subset that makes verified TLS, upgrades to one of their own.
 * For the gateway's namespace alone: sidecars that had this rule would speak TLS themselves.
 */
export function upstreamRules(set: PolicySet, service: ExternalService, legs: readonly Leg[]): readonly IstioObject[] {
  const byHost = Map.groupBy(legs.filter(isRequest), ({ meshHost }) => meshHost);
  return [...byHost].map(([meshHost, own]) => {
    const { tls = null, kind = "http" } = own[0] ?? {};
    const subset = (isUpgrade: boolean): object => ({
      name: requestSubset(service, isUpgrade),
      trafficPolicy: {
        ...pool(service.connections, kind === "grpc", isUpgrade),
        ...(tls === null ? {} : { tls: verifiedTls(tls, meshHost) }),
      },
    });
    return istioObject("DestinationRule", `${objectName(service)}--${meshHost}`, set.gateway.namespace, {
      host: meshHost,
      exportTo: ["."],
      subsets: [subset(false), ...(upgrades(set, service) ? [subset(true)] : [])],
    });
  });
}

/** Always with a name to verify: Istio checks none where a rule says the SNI and no names. */
export function verifiedTls(tls: TlsOrigination, host: string): object {
  const { subjectAltNames, credentialName, caCertificates } = tls;
  const names = subjectAltNames.length === 0 ? [host] : subjectAltNames;
  const secret = credentialName ?? (caCertificates?.startsWith("/") === false ? caCertificates : null);
  return {
    mode: credentialName === null ? "SIMPLE" : "MUTUAL",
    sni: host,
    subjectAltNames: names,
    ...(secret === null ? {} : { credentialName: secret }),
    ...(caCertificates?.startsWith("/") === true ? { caCertificates } : {}),
  };
}

/** Bytes of an upgraded connection are nobody's requests: no request may follow on it. */
function pool(connections: ConnectionSettings | null, grpc: boolean, isUpgrade: boolean): object {
  const requests = isUpgrade ? 1 : (connections?.maxRequestsPerConnection ?? 0);
  const http = {
    ...(grpc ? { h2UpgradePolicy: "UPGRADE" } : {}),
    ...(requests === 0 ? {} : { maxRequestsPerConnection: requests }),
    ...(connections === null ? {} : { idleTimeout: `${connections.idleTimeoutMs / 1000}s` }),
  };
  return { connectionPool: { tcp: { connectTimeout: "5s" }, ...(Object.keys(http).length === 0 ? {} : { http }) } };
}
