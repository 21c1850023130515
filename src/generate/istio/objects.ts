import type { EgressGateway } from "../../policy/model.ts";
import { type GatewayListener, listenerName } from "../listeners.ts";

/** An Istio object of ours. */
export interface IstioObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: object };
  readonly spec: object;
}

const GROUPS = {
  ServiceEntry: "networking.istio.io/v1",
  Gateway: "networking.istio.io/v1",
  VirtualService: "networking.istio.io/v1",
  DestinationRule: "networking.istio.io/v1",
  Sidecar: "networking.istio.io/v1",
  EnvoyFilter: "networking.istio.io/v1alpha3",
  AuthorizationPolicy: "security.istio.io/v1",
  PeerAuthentication: "security.istio.io/v1",
  Telemetry: "telemetry.istio.io/v1",
  Service: "v1",
} as const;

export function istioObject(kind: keyof typeof GROUPS, name: string, namespace: string, spec: object): IstioObject {
  const labels = { "app.kubernetes.io/managed-by": "sallyport" };
  return { apiVersion: GROUPS[kind], kind, metadata: { name, namespace, labels }, spec };
}

/** The gateway's Service for one listener: of their own, since sidecars have a cluster for each host and each port of a Service. */
export function gatewayServiceName({ name }: EgressGateway, listener: GatewayListener): string {
  return `${name}-${listenerName(listener)}`;
}

/** Its name within the cluster. */
export function gatewayHost(gateway: EgressGateway, listener: GatewayListener): string {
  return `${gatewayServiceName(gateway, listener)}.${gateway.namespace}.svc.${gateway.clusterDomain}`;
}

/** The authorizer's name within the cluster. */
export function authorizerHost(service: string, clusterDomain: string): string {
  return `${service}.svc.${clusterDomain}`;
}

/** The namespace of a Service within the cluster; null for every other host. */
export function clusterNamespace(host: string, clusterDomain: string): string | null {
  const suffix = `.svc.${clusterDomain}`;
  return host.endsWith(suffix) ? (host.slice(0, -suffix.length).split(".").at(-1) ?? null) : null;
}
