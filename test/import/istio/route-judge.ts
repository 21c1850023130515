import { type Asked, judgeIstio, type MeshObjects } from "./judge.ts";

/**
 * A naive judge of what Istio's routes take out, from its reference (Virtual Service, Gateway) and the order in which its proxies look:
 * the sidecar's routes, then those of the gateway's server, then the AuthorizationPolicies there. It shares nothing with the import.
 */

export interface Text {
  readonly exact?: string;
  readonly prefix?: string;
  readonly regex?: string;
}

export interface Destination {
  readonly host: string;
  readonly subset?: string;
  readonly port?: { readonly number: number };
}

export interface RouteMatch {
  readonly uri?: Text;
  readonly method?: Text;
  readonly headers?: Readonly<Record<string, Text>>;
  readonly withoutHeaders?: Readonly<Record<string, Text>>;
  readonly queryParams?: Readonly<Record<string, Text>>;
  readonly ignoreUriCase?: boolean;
  readonly sourceLabels?: Readonly<Record<string, string>>;
  readonly sourceNamespace?: string;
  readonly sniHosts?: readonly string[];
  readonly gateways?: readonly string[];
  readonly port?: number;
}

export interface RouteObject {
  readonly match?: readonly RouteMatch[];
  readonly route?: readonly { readonly destination: Destination; readonly weight?: number }[];
  readonly redirect?: object;
  readonly directResponse?: object;
  readonly delegate?: object;
  readonly rewrite?: object;
  readonly fault?: { readonly abort?: object; readonly delay?: object };
  readonly headers?: object;
  readonly timeout?: string;
}

export interface ServiceObject {
  readonly namespace: string;
  readonly hosts: readonly string[];
  readonly gateways?: readonly string[];
  readonly http?: readonly RouteObject[];
  readonly tls?: readonly RouteObject[];
  readonly tcp?: readonly RouteObject[];
}

export interface ServerObject {
  readonly port: { readonly number: number; readonly protocol: string; readonly name: string };
  readonly hosts: readonly string[];
  readonly tls?: Readonly<Record<string, unknown>>;
}

export interface RoutedMesh extends MeshObjects {
  readonly services: readonly ServiceObject[];
  /** Of the Gateway `istio-egress/egress`. */
  readonly servers: readonly ServerObject[];
}

const GATEWAY = "istio-egress/egress";

/** Does it get out? Where the sidecar itself dials the host, the gateway's policies are asked all the same, which is stricter. */
export function judgeRouted(mesh: RoutedMesh, asked: Asked): boolean {
  const step = asked.kind === "http" ? sidecarRequest(mesh, asked) : sidecarConnection(mesh, asked);
  if (step === "stopped") return false;
  if (step === "direct") return judgeIstio(mesh, asked);
  const seen = atGateway(mesh, asked, step.port);
  return seen !== "stopped" && judgeIstio(mesh, { ...asked, anonymous: seen === "anonymous" });
}

type Step = "stopped" | "direct" | { readonly port: number };

function sidecarRequest(mesh: RoutedMesh, asked: Asked): Step {
  const registered = serviceHosts(mesh, asked.port);
  const service = registered.filter((each) => matchesHost(each, asked.host)).sort(bySpecific)[0];
  if (service === undefined) return "stopped";
  const bound = mesh.services.filter((each) => gatewaysOf(each).includes("mesh"));
  // A host that is not registered gets routes of its own on port 80 only.
  const own = asked.port === 80 || registered.includes(asked.host);
  const exact = own ? bound.filter(({ hosts }) => hosts.includes(asked.host)) : [];
  const wild = bound
    .flatMap((each) =>
      each.hosts
        .filter((host) => host === service || (host.startsWith("*") && matchesHost(host, service)))
        .map((host) => ({ each, host })),
    )
    .sort((a, b) => bySpecific(a.host, b.host))
    .map(({ each }) => each);
  for (const each of [...exact, ...wild]) {
    const entries = entriesOf(each, each.http ?? [], "mesh", asked.port, asked.namespace);
    if (entries.length === 0) continue;
    const found = entries.find(({ match }) => requestMatches(match, asked));
    return found === undefined ? "stopped" : leads(found.route, mesh, asked, asked.port);
  }
  return "direct";
}

function sidecarConnection(mesh: RoutedMesh, asked: Asked): Step {
  const service = serviceHosts(mesh, asked.port)
    .filter((each) => matchesHost(each, asked.host))
    .sort(bySpecific)[0];
  if (service === undefined) return "stopped";
  const chains = mesh.services
    .filter(
      (each) =>
        gatewaysOf(each).includes("mesh") &&
        each.hosts.some((host) => matchesHost(host, service) || matchesHost(service, host)),
    )
    .flatMap((each) => entriesOf(each, each.tls ?? [], "mesh", asked.port, asked.namespace))
    .filter(({ match }) => match !== undefined);
  if (chains.length === 0) return "direct";
  const found = bestChain(chains, asked.host);
  return found === undefined ? "stopped" : leads(found.route, mesh, asked, asked.port);
}

type Entry = { readonly match: RouteMatch | undefined; readonly route: RouteObject };

function bestChain(chains: readonly Entry[], host: string): Entry | undefined {
  return chains
    .flatMap((entry) => (entry.match?.sniHosts ?? []).map((sni) => ({ entry, sni })))
    .filter(({ sni }) => matchesHost(sni, host))
    .sort((a, b) => bySpecific(a.sni, b.sni))[0]?.entry;
}

function atGateway(mesh: RoutedMesh, asked: Asked, port: number): "stopped" | "anonymous" | "named" {
  for (const server of mesh.servers.filter((each) => each.port.number === port)) {
    const { mode, ...checks } = server.tls ?? {};
    if (Object.keys(checks).length > 0) continue;
    const isMesh = mode === "ISTIO_MUTUAL";
    const { protocol } = server.port;
    const kind =
      (protocol === "HTTP" && server.tls === undefined) || (protocol === "HTTPS" && isMesh)
        ? "http"
        : protocol === "TLS" && mode === "PASSTHROUGH"
          ? "tls"
          : protocol === "TLS" && isMesh
            ? "tcp"
            : null;
    if (kind === null || (kind === "http") !== (asked.kind === "http")) continue;
    const bound = mesh.services.flatMap((each) => {
      if (
        !gatewaysOf(each).some((name) => name === GATEWAY || (name === "egress" && each.namespace === "istio-egress"))
      )
        return [];
      const isServed = server.hosts.some((text) => {
        const [where, name] = text.includes("/") ? text.split("/") : ["*", text];
        const there = where === "*" || where === each.namespace || (where === "." && each.namespace === "istio-egress");
        return there && (name === "*" || matchesHost(name ?? "", asked.host));
      });
      return isServed ? each.hosts.filter((host) => matchesHost(host, asked.host)).map((host) => ({ each, host })) : [];
    });
    const best = bound.map(({ host }) => host).sort(bySpecific)[0];
    const entries = bound
      .filter(({ host }) => host === best)
      .flatMap(({ each }) => entriesOf(each, each[kind] ?? [], GATEWAY, port, "istio-egress"));
    // Of routes that are put together, those for everything come last.
    const sorted = [
      ...entries.filter(({ match }) => !isCatchAll(match)),
      ...entries.filter(({ match }) => isCatchAll(match)),
    ];
    const found =
      kind === "http"
        ? sorted.find(({ match }) => requestMatches(match, asked))
        : kind === "tls"
          ? bestChain(
              entries.filter(({ match }) => match !== undefined),
              asked.host,
            )
          : entries[0];
    if (found === undefined) continue;
    return leads(found.route, mesh, asked, port) === "direct" ? (isMesh ? "named" : "anonymous") : "stopped";
  }
  return "stopped";
}

function isCatchAll(match: RouteMatch | undefined): boolean {
  const { gateways: _, port: __, sourceLabels: ___, sourceNamespace: ____, ...others } = match ?? {};
  return Object.keys(others).length === 0;
}

/** Routes whose conditions on seat, port and proxy hold, up to the first that takes everything. */
function entriesOf(
  service: ServiceObject,
  routes: readonly RouteObject[],
  gateway: string,
  port: number,
  proxyNamespace: string,
): readonly Entry[] {
  const all = routes.flatMap((route) =>
    (route.match ?? [undefined])
      .map((match): Entry => ({ match, route }))
      .filter(({ match }) => {
        if (match?.port !== undefined && match.port !== port) return false;
        if (match?.gateways !== undefined) {
          return match.gateways.some((each) => each === gateway || `${service.namespace}/${each}` === gateway);
        }
        // No proxy here has a label.
        if (match?.sourceLabels !== undefined) return false;
        return match?.sourceNamespace === undefined || match.sourceNamespace === proxyNamespace;
      }),
  );
  const last = all.findIndex(({ match }) => isCatchAll(match));
  return last < 0 ? all : all.slice(0, last + 1);
}

function requestMatches(match: RouteMatch | undefined, { method, path, headers }: Asked): boolean {
  const [plain = "", query = ""] = path.split("?");
  const fold = (text: string): string => (match?.ignoreUriCase === true ? text.toLowerCase() : text);
  const uri = match?.uri;
  const folded: Text | undefined =
    uri === undefined || uri.regex !== undefined
      ? uri
      : (Object.fromEntries(Object.entries(uri).map(([key, text]) => [key, fold(text)])) as Text);
  return (
    textMatches(folded, fold(plain)) &&
    textMatches(match?.method, method) &&
    Object.entries(match?.headers ?? {}).every(([name, text]) => textMatches(text, headers[name])) &&
    Object.entries(match?.withoutHeaders ?? {}).every(([name, text]) => !textMatches(text, headers[name])) &&
    Object.entries(match?.queryParams ?? {}).every(([name, text]) =>
      textMatches(text, new URLSearchParams(query).get(name) ?? undefined),
    )
  );
}

function textMatches(text: Text | undefined, value: string | undefined): boolean {
  if (text === undefined) return true;
  if (value === undefined) return false;
  if (text.exact !== undefined) return value === text.exact;
  if (text.prefix !== undefined) return value.startsWith(text.prefix);
  return text.regex === undefined || new RegExp(`^(?:${text.regex})$`).test(value);
}

function leads(route: RouteObject, mesh: RoutedMesh, asked: Asked, port: number): Step {
  const { redirect, directResponse, delegate, rewrite, fault, headers } = route;
  // What is sent out changed is not what was asked for.
  if ([redirect, directResponse, delegate, rewrite, headers, fault?.abort].some((each) => each !== undefined))
    return "stopped";
  const legs = route.route ?? [];
  const steps = (legs.length > 1 ? legs.filter(({ weight = 0 }) => weight > 0) : legs).map(({ destination }): Step => {
    const { host, subset, port: named } = destination;
    if (subset !== undefined) return "stopped";
    if (host === "egress.istio-egress.svc.cluster.local")
      return { port: named?.number ?? mesh.servers[0]?.port.number ?? 0 };
    const ports = mesh.entries
      .filter((each) => each.hosts.includes(host))
      .flatMap((each) => each.ports.map(({ number }) => number));
    const to = named?.number ?? (new Set(ports).size === 1 ? ports[0] : port);
    return matchesHost(host, asked.host) && ports.some((each) => each === to) ? "direct" : "stopped";
  });
  const [first = "stopped"] = steps;
  return steps.every((each) => JSON.stringify(each) === JSON.stringify(first)) ? first : "stopped";
}

function gatewaysOf({ gateways }: ServiceObject): readonly string[] {
  return gateways ?? ["mesh"];
}

function serviceHosts({ entries }: RoutedMesh, port: number): readonly string[] {
  return entries.filter((each) => each.ports.some(({ number }) => number === port)).flatMap(({ hosts }) => hosts);
}

function matchesHost(pattern: string, host: string): boolean {
  return pattern.startsWith("*") ? host.endsWith(pattern.slice(1)) && host.length >= pattern.length : pattern === host;
}

function bySpecific(a: string, b: string): number {
  return Number(a.startsWith("*")) - Number(b.startsWith("*")) || b.length - a.length;
}
