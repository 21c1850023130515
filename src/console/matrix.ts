import { unlike } from "../analyze/atoms/unlike.ts";
import { CHECK_KINDS, probe } from "../analyze/probe.ts";
import type { Decision } from "../pdp/decision.ts";
import type { Engine } from "../pdp/engine.ts";
import type { IdentitySelector, PolicySet, PortProtocol } from "../policy/model.ts";

/** A row: who asks. `label` = as a person writes it, or whom it stands for. */
export interface Workload {
  readonly label: string;
  readonly spiffeId: string;
}

/** A column: what for. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly protocol: PortProtocol;
  /** A host that the engine can be asked about: of a wildcard one that it covers. */
  readonly asked: string;
}

/** A cell: what the engine answers, and whether method, path or headers could change it. */
export interface Reach {
  readonly outcome: "allow" | "deny" | "depends";
  readonly on: readonly string[];
  readonly decision: Decision;
}

/** Everyone whom the policies name one by one, one more of each namespace they name, and who has asked lately. */
export function workloadsOf(set: PolicySet, seen: readonly string[]): Workload[] {
  const own = set.gateway.trustDomains[0] ?? "";
  const selectors = [
    ...set.groups.flatMap(({ members }) => members),
    ...set.policies.flatMap(({ rules }) => rules.flatMap(({ from }) => from ?? [])),
  ].filter((each): each is IdentitySelector => each.kind !== "group");
  const named = selectors.flatMap((each) => (each.kind === "id" ? [`spiffe://${each.trustDomain}${each.path}`] : []));
  const workloads = new Map([...named, ...seen].map((id) => [id, { label: shortId(id, own), spiffeId: id }]));
  const namespaces = new Set([
    ...selectors.flatMap((each) => (each.kind === "namespace" ? [each.namespace] : [])),
    ...set.policies.flatMap(({ scope }) => (scope === "" ? [] : [scope])),
  ]);
  const taken = new Set(workloads.keys());
  for (const namespace of namespaces) {
    const other = unlike(taken, `spiffe://${own}/ns/${namespace}/sa/any-other`);
    workloads.set(other, { label: `${namespace}/ any other`, spiffeId: other });
  }
  return [...workloads.values()].sort((a, b) => (a.label < b.label ? -1 : 1));
}

/** Every registered host on each of its ports. */
export function destinationsOf(set: PolicySet): Destination[] {
  const found = new Map<string, Destination>();
  for (const { hosts, ports } of set.services) {
    for (const host of hosts) {
      const asked = host.startsWith("*.") ? `any-other${host.slice(1)}` : host;
      for (const { number: port, protocol } of ports) {
        found.set(`${host}:${port}/${CHECK_KINDS[protocol]}`, { host, port, protocol, asked });
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : a.port - b.port));
}

/** What comes of it now: the engine is asked, and says itself what its answer depended on. */
export function reach(engine: Engine, { spiffeId }: Workload, to: Destination, nowMs: number): Reach {
  const decision = engine.decide(probe(CHECK_KINDS[to.protocol], spiffeId, to.asked, to.port), nowMs);
  const { method, path, contentType, headers } = decision.dependsOn;
  // A gRPC port is one by its content type, which every request to it has.
  const type = contentType && to.protocol !== "GRPC";
  const on = [
    ...(method ? ["method"] : []),
    ...(path ? ["path"] : []),
    ...(type ? ["content-type"] : []),
    ...headers.map((name) => `header ${name}`),
  ];
  return { outcome: on.length === 0 ? decision.effect : "depends", on, decision };
}

/** What the playground's form holds to ask for the same. */
export function writtenFor({ spiffeId }: Workload, { asked, port, protocol }: Destination): Record<string, string> {
  const kind = CHECK_KINDS[protocol];
  const to =
    kind === "http" ? `GET http://${asked}${port === 80 ? "" : `:${port}`}/` : `${kind.toUpperCase()} ${asked}:${port}`;
  return { from: spiffeId, to, ...(protocol === "GRPC" ? { headers: "content-type=application/grpc" } : {}) };
}

/** `namespace/serviceaccount` in the mesh's own trust domain, else the SPIFFE ID. */
export function shortId(spiffeId: string, own: string): string {
  const prefix = `spiffe://${own}/ns/`;
  const account = spiffeId.startsWith(prefix) ? /^([^/]+)\/sa\/([^/]+)$/.exec(spiffeId.slice(prefix.length)) : null;
  return account === null ? spiffeId : `${account[1]}/${account[2]}`;
}
