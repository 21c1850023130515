import type { HostPattern, IdentitySelector, PortProtocol } from "../../policy/model.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import { idleAssumptions } from "../assumed.ts";
import type { Claim, DraftPolicy, DraftRule } from "../draft.ts";
import { type Imported, type ImportOptions, ownerOf } from "../imported.ts";
import { mayRefuse } from "../istio/kinds.ts";
import { isVendorPolicy, vendorPolicy } from "../network-obstacles.ts";
import type { ImportNote } from "../note.ts";
import { placed } from "../place.ts";
import { nothingOf, type ObjectSource, objectsOf, readObjects } from "../read-objects.ts";
import { readSelector, selectorCovers } from "../subjects.ts";
import { heed, type Obstacle, withholding } from "../withheld.ts";
import { readWorkloads } from "../workloads.ts";
import { readCalico } from "./calico.ts";
import { readCilium } from "./cilium.ts";
import { readGke } from "./gke.ts";
import { type Closing, type Context, fullNames, hostsOf, type Opening } from "./opening.ts";
import { networkPolicy } from "./schema.ts";

/**
 * Network policies that know names as policies: `toFQDNs` of Cilium, FQDNNetworkPolicy of GKE, `domains` of Calico. What they
 * say of addresses is left out, but for what it denies.
 */
export function importNetworkPolicy(
  files: readonly PolicyFile[],
  workloads: PolicyFile | null,
  options: ImportOptions,
): Imported {
  const { behind, problems: badWorkloads } = readWorkloads(workloads, options.trustDomain, options.canon);
  const all = readObjects(files);
  const problems: SourceProblem[] = [...badWorkloads, ...all.problems];
  const notes: ImportNote[] = [];
  const context: Context = { ...options, behind, note: (code, at, message) => notes.push({ code, at, message }) };
  const cilium = readCilium(all.objects, context, problems);
  const openings = [
    ...cilium.openings,
    ...readGke(all.objects, context, problems),
    ...readCalico(all.objects, context, problems),
  ];
  tellOfAddresses(all.objects, context, problems);
  if (problems.length === 0 && !all.objects.some(({ group, kind }) => KINDS.has(`${group}/${kind}`))) {
    problems.push(nothingOf("network policy"));
  }
  problems.push(...idleAssumptions(options.assumed, all.objects));
  const owner = ownerOf(options, problems);
  if (owner === null || problems.length > 0) return { ok: false, problems };
  const known = [...new Set(openings.flatMap(({ names }) => fullNames(names, context)))].sort();
  const opened = openings.map((each) => ({ ...each, hosts: hostsOf(each.names, known, context) }));
  const claims = opened.flatMap((each) => claimsOf(each, context));
  const withheld = heed(unreadOf(all.objects, context), options.assumed, context.note);
  const { gateway, trustDomain } = options;
  return {
    ok: true,
    notes,
    set: {
      gateway: { ...gateway, trustDomains: [trustDomain], selector: {} },
      claims,
      groups: [],
      policies: withholding(policiesOf(opened, cilium.closings, owner, context), withheld, claims, owner),
    },
  };
}

const KINDS: ReadonlySet<string> = new Set([
  "cilium.io/CiliumNetworkPolicy",
  "cilium.io/CiliumClusterwideNetworkPolicy",
  "networking.gke.io/FQDNNetworkPolicy",
  "projectcalico.org/NetworkPolicy",
  "projectcalico.org/GlobalNetworkPolicy",
  "networking.k8s.io/NetworkPolicy",
]);

/** Kinds that turn traffic aside, which may end somewhere that refuses it. */
const DETOURS: ReadonlySet<string> = new Set([
  "cilium.io/CiliumEgressGatewayPolicy",
  "cilium.io/CiliumLocalRedirectPolicy",
  "cilium.io/CiliumEnvoyConfig",
  "cilium.io/CiliumClusterwideEnvoyConfig",
]);

/** Policies of other kinds, which stop what the others open, and a mesh's objects, whose proxies do. */
function unreadOf(objects: readonly ObjectSource[], { trustDomain, canon }: Context): readonly Obstacle[] {
  const workloadsOf = (namespace: string): readonly IdentitySelector[] => {
    const selector = readSelector({ namespace }, trustDomain, canon);
    return selector.ok ? [selector.value] : [];
  };
  return objects.flatMap((object): readonly Obstacle[] => {
    const { group, kind, name, source } = object;
    if (KINDS.has(`${group}/${kind}`)) return [];
    if (isVendorPolicy(object)) return [vendorPolicy(object, { namespace: null, hosts: [], workloadsOf })];
    if (!DETOURS.has(`${group}/${kind}`) && !mayRefuse(group, kind)) return [];
    return [{ object, withheld: [{ name, from: null, hosts: null, traffic: null, at: source.position([]) }] }];
  });
}

type Opened = Opening & { readonly hosts: readonly HostPattern[] };

function claimsOf({ hosts, ports, at }: Opened, context: Context): readonly Claim[] {
  if (ports === null && hosts.length > 0) {
    const named = context.ports.map(({ number }) => number).join(", ");
    context.note("any-port", at, `every port is open: here those named with \`--port\` (${named})`);
  }
  const numbers = ports ?? context.ports.map(({ number }) => number);
  return hosts.flatMap((pattern) =>
    numbers.map((port) => ({ pattern, port, protocol: protocolOn(port, context), tls: null, addresses: [], at })),
  );
}

/** What is spoken on a port, which no network policy says: as it is named with `--port`, else as is usual. */
function protocolOn(port: number, { ports }: Context): PortProtocol {
  return ports.find(({ number }) => number === port)?.protocol ?? (port === 80 ? "HTTP" : port === 443 ? "TLS" : "TCP");
}

function policiesOf(
  opened: readonly Opened[],
  closings: readonly Closing[],
  owner: string,
  context: Context,
): readonly DraftPolicy[] {
  const rules = new Map<string, DraftRule[]>();
  const put = (policy: string, rule: DraftRule): void => {
    rules.set(policy, [...(rules.get(policy) ?? []), rule]);
  };
  const every = context.ports.map(({ number }) => number);
  for (const { policy, from, hosts, ports, at } of opened) {
    if (hosts.length === 0) continue;
    for (const [left, some] of leftOver(from, ports ?? every, closings)) {
      const aims = hosts.map((pattern) => ({ pattern, ports: left, protocol: null }));
      put(policy, { name: policy, effect: "allow", from: some, aims, methods: null, paths: null, headers: null, at });
    }
  }
  const registered = [...new Set(opened.flatMap(({ hosts }) => hosts))].sort();
  for (const { policy, from, ports, at } of closings) {
    if (registered.length === 0 || from?.length === 0) continue;
    const aims = registered.map((pattern) => ({ pattern, ports, protocol: null }));
    put(policy, {
      name: `${policy}-denies`,
      effect: "deny",
      from,
      aims,
      methods: null,
      paths: null,
      headers: null,
      at,
    });
  }
  return [...rules].flatMap(([policy, some]) => placed(policy, owner, some));
}

/** Who may still dial which ports, where some are closed to some of them: what is denied anyway is better not said. */
function leftOver(
  from: readonly IdentitySelector[],
  ports: readonly number[],
  closings: readonly Closing[],
): Iterable<readonly [readonly number[], readonly IdentitySelector[]]> {
  const byPorts = new Map<string, { left: readonly number[]; some: IdentitySelector[] }>();
  for (const each of from) {
    const closed = closings.filter(
      (closing) => closing.from === null || closing.from.some((other) => selectorCovers(other, each)),
    );
    const left = ports.filter(
      (port) => !closed.some((closing) => closing.ports === null || closing.ports.includes(port)),
    );
    if (left.length === 0) continue;
    const group = byPorts.get(left.join()) ?? { left, some: [] };
    byPorts.set(left.join(), group);
    group.some.push(each);
  }
  return [...byPorts.values()].map(({ left, some }) => [left, some] as const);
}

/** Plain NetworkPolicy knows addresses alone. */
function tellOfAddresses(objects: readonly ObjectSource[], { note }: Context, problems: SourceProblem[]): void {
  const read = objectsOf(objects, "networking.k8s.io", "NetworkPolicy", networkPolicy);
  problems.push(...read.problems);
  for (const { name, namespace, spec, at } of read.objects) {
    const isEgress = spec.policyTypes?.includes("Egress") ?? spec.egress != null;
    if (isEgress)
      note("no-names", at(), `NetworkPolicy \`${namespace}/${name}\` opens addresses, and no names: left out`);
  }
}
