import type { ExternalService, PolicySet } from "../../policy/model.ts";
import { listenerName } from "../listeners.ts";
import { objectName } from "../services.ts";
import { isRequest, type Leg } from "./leg.ts";
import { gatewayHost, type IstioObject, istioObject } from "./objects.ts";
import { gatewayName } from "./routes.ts";

/** One server per host, so that a request's host and the name said outside are the same, and no route takes them all. */
export function gatewayObject(set: PolicySet, service: ExternalService, legs: readonly Leg[]): IstioObject {
  const { namespace, selector } = set.gateway;
  const servers = legs.map((leg) => ({
    port: {
      number: leg.listener.port,
      name: `${leg.subset}-${listenerName(leg.listener)}`.slice(0, 63),
      protocol: isRequest(leg) ? "HTTPS" : "TLS",
    },
    hosts: [`${namespace}/${isRequest(leg) ? leg.meshHost : leg.sni}`],
    tls: { mode: "ISTIO_MUTUAL" },
  }));
  return istioObject("Gateway", gatewayName(service), namespace, { selector, servers });
}

/** How sidecars say to the gateway whom they want: the name that the gateway's chain is for. Istio joins the rules of all services. */
export function gatewaySubsets(set: PolicySet, service: ExternalService, legs: readonly Leg[]): readonly IstioObject[] {
  return [...Map.groupBy(legs, ({ listener }) => listener)].map(([listener, own]) =>
    istioObject("DestinationRule", `${objectName(service)}--${listenerName(listener)}`, set.gateway.namespace, {
      host: gatewayHost(set.gateway, listener),
      subsets: own.map(({ subset, sni }) => ({ name: subset, trafficPolicy: { tls: { mode: "ISTIO_MUTUAL", sni } } })),
    }),
  );
}
