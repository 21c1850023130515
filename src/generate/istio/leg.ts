import type { ExternalService, PolicySet, TlsOrigination } from "../../policy/model.ts";
import { openingsOf } from "../../policy/visibility.ts";
import { type GatewayListener, type ListenerKind, listenerKind, listenerName, outerSni } from "../listeners.ts";
import { hostCidr, isTlsByAddress } from "../public-addresses.ts";
import { hostSuffix, isHttp, isWildcard, objectName } from "../services.ts";

/** One host of a service on one dialled port: from the application to the gateway, and from there out. */
export interface Leg {
  readonly service: ExternalService;
  /** As registered; an address for TCP by address. */
  readonly host: string;
  /** As the mesh's registry names it, which knows names only. */
  readonly meshHost: string;
  readonly kind: ListenerKind;
  readonly listener: GatewayListener;
  /** The name by which sidecars know it: its own, or for TCP by address one that stands for the addresses. */
  readonly capturedAs: string;
  /** The name that sidecars say to the gateway. */
  readonly sni: string;
  /** The port that the gateway dials. */
  readonly port: number;
  /** Null where the gateway speaks no TLS of its own. */
  readonly tls: TlsOrigination | null;
  /** The subset of the gateway that stands for it: a DNS label. */
  readonly subset: string;
}

/** The legs of a service by host, then port. Wildcards have none, since Istio's gateway cannot forward them. */
export function legsOf(
  set: PolicySet,
  service: ExternalService,
  listeners: ReadonlyMap<string, GatewayListener>,
): readonly Leg[] {
  return hostsOf(set, service).flatMap((host) =>
    service.ports.flatMap(({ number, protocol }) => {
      if (isHttp(protocol) && service.tls?.originate === "sidecar") return [];
      if (isTlsByAddress(host, protocol)) return [];
      const kind = listenerKind(protocol);
      const listener = listeners.get(listenerName({ kind, dialled: number }));
      if (listener === undefined) return [];
      const meshHost = meshHostOf(host);
      const tls = isHttp(protocol) && service.tls?.originate === "gateway" ? service.tls : null;
      const sni = outerSni(kind, number, meshHost);
      return [
        {
          service,
          host,
          meshHost,
          capturedAs: isByAddress(service, kind, host) ? sni : meshHost,
          kind,
          listener,
          sni,
          port: tls?.port ?? number,
          tls,
          subset: label(`${kind}-${number}-${meshHost}`),
        },
      ];
    }),
  );
}

/** Istio takes no ranges of addresses together with a name to look up. */
function isByAddress({ addresses }: ExternalService, kind: ListenerKind, host: string): boolean {
  return kind === "tcp" && addresses.length > 0 && hostCidr(host) === null;
}

/** Its literal hosts, and those under its wildcards that some allow names. Sorted. */
function hostsOf(set: PolicySet, service: ExternalService): readonly string[] {
  const named = openingsOf(set, service).flatMap(({ rule }) => (rule.to ?? []).flatMap(({ hosts }) => hosts ?? []));
  const under = service.hosts
    .filter(isWildcard)
    .flatMap((wildcard) => named.filter((host) => !isWildcard(host) && host.endsWith(`.${hostSuffix(wildcard)}`)));
  return [...new Set([...service.hosts.filter((host) => !isWildcard(host)), ...under])].sort();
}

/** An address gets a name, since Istio's routes and registry are by name. */
export function meshHostOf(host: string): string {
  if (hostCidr(host) === null) return host;
  return `ip-${host.replace(/[[\]]/g, "").replaceAll(/[.:]+/g, "-")}.sallyport.internal`;
}

/** A DNS label out of any text, unique for all purposes: subsets must be labels. */
export function label(text: string): string {
  const readable = text
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 44)
    .replace(/-+$/, "");
  let hash = 5381;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 33) ^ text.charCodeAt(i)) >>> 0;
  return `${readable}-${hash.toString(36)}`;
}

/** The subset of an external host that its requests go to: of this service, since two may own ports of one host. */
export function requestSubset(service: ExternalService, upgrades = false): string {
  return `${label(objectName(service))}${upgrades ? "-upgrades" : ""}`;
}

export function isRequest({ kind }: Leg): boolean {
  return kind === "http" || kind === "grpc";
}

/** Does some rule let requests to it upgrade their connection? */
export function upgrades(set: PolicySet, service: ExternalService): boolean {
  return openingsOf(set, service).some(({ rule }) => rule.upgrades.length > 0);
}
