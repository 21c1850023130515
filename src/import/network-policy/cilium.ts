import type { z } from "zod";
import type { IdentitySelector } from "../../policy/model.ts";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import type { ObjectSource } from "../read-objects.ts";
import { readShape } from "../read-source.ts";
import { readSelector } from "../subjects.ts";
import { areInside } from "./addresses.ts";
import { type Closing, type Context, type Name, type Opening, portsOf } from "./opening.ts";
import { type CiliumRule, ciliumPolicy, type LabelSelector } from "./schema.ts";

/** What policies open and close. */
export interface Read {
  readonly openings: readonly Opening[];
  readonly closings: readonly Closing[];
}

type Place = (...path: readonly (string | number)[]) => Opening["at"];
type Egress = NonNullable<CiliumRule["egress"]>[number];

/** Reads CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy: what they open by name, and what they close whatever its name. */
export function readCilium(objects: readonly ObjectSource[], context: Context, problems: SourceProblem[]): Read {
  const openings: Opening[] = [];
  const closings: Closing[] = [];
  for (const object of objects) {
    if (object.group !== "cilium.io") continue;
    const clusterwide = object.kind === "CiliumClusterwideNetworkPolicy";
    if (!clusterwide && object.kind !== "CiliumNetworkPolicy") continue;
    const shaped = readShape(ciliumPolicy, object.source);
    problems.push(...shaped.problems);
    for (const { value } of shaped.objects) {
      for (const [path, rule] of rulesOf(value)) {
        const at: Place = (...rest) => object.source.position([...path, ...rest]);
        const read = readRule(rule, object.name, clusterwide ? null : object.namespace, at, context);
        openings.push(...read.openings);
        closings.push(...read.closings);
      }
    }
  }
  return { openings, closings };
}

function rulesOf(
  policy: z.output<typeof ciliumPolicy>,
): readonly (readonly [readonly (string | number)[], CiliumRule])[] {
  return [
    ...(policy.spec == null ? [] : [[["spec"], policy.spec] as const]),
    ...(policy.specs ?? []).map((each, i) => [["specs", i], each] as const),
  ];
}

function readRule(rule: CiliumRule, policy: string, namespace: string | null, at: Place, context: Context): Read {
  const { note } = context;
  if (rule.nodeSelector !== undefined) {
    note("not-for-pods", at("nodeSelector"), `\`${policy}\` is for nodes, which no workload here is`);
    return { openings: [], closings: [] };
  }
  const from = subjectsOf(rule.endpointSelector ?? {}, namespace, context);
  const closings = (rule.egressDeny ?? []).flatMap((deny, i): readonly Closing[] => {
    if (isWithin(deny)) return [];
    note("deny-by-address", at("egressDeny", i), `\`${policy}\` denies addresses: here all names on the same ports`);
    const whole = namespace === null ? null : readSelector({ namespace }, context.trustDomain, context.canon);
    const who = from ?? (whole?.ok === true ? [whole.value] : null);
    const lists = (deny.toPorts ?? []).map(({ ports }) => deniedPorts(ports));
    const all = lists.length === 0 || lists.some((each) => each === null);
    return [{ policy, from: who, ports: all ? null : lists.flatMap((each) => each ?? []), at: at("egressDeny", i) }];
  });
  const openings = (rule.egress ?? []).flatMap((egress, i): readonly Opening[] => {
    if (egress.toFQDNs === undefined) {
      if (!isWithin(egress)) note("no-names", at("egress", i), `\`${policy}\` opens addresses, and no names: left out`);
      return [];
    }
    if (from === null) {
      note(
        "workload-labels",
        at("endpointSelector"),
        `pods of \`${policy}\` are left out: \`--workloads\` names no service accounts for them`,
      );
      return [];
    }
    const names = namesOf(egress, i, at);
    return portListsOf(egress, i, at, context).map((ports) => ({ policy, from, names, ports, at: at("egress", i) }));
  });
  return { openings, closings };
}

function namesOf({ toFQDNs = [] }: Egress, index: number, at: Place): readonly Name[] {
  return toFQDNs.flatMap(({ matchName, matchPattern }, j) => {
    const here = at("egress", index, "toFQDNs", j);
    const texts = [matchName, matchPattern].filter((each) => each !== undefined);
    return texts.map((text): Name => ({ text, star: "label", at: here }));
  });
}

/** Ports of an egress rule, one list for each of its `toPorts` that can be carried over. */
function portListsOf(
  egress: Egress,
  index: number,
  at: Place,
  context: Context,
): readonly (readonly number[] | null)[] {
  const { toFQDNs: _, toPorts, ...others } = egress;
  const [odd] = Object.keys(others);
  if (odd !== undefined) {
    context.note(
      "condition-not-expressible",
      at("egress", index, odd),
      `an opening that asks for \`${odd}\` is left out`,
    );
    return [];
  }
  if (toPorts === undefined || toPorts.length === 0) return [null];
  return toPorts.flatMap(({ ports, ...more }, j) => {
    const here = at("egress", index, "toPorts", j);
    const [key] = Object.keys(more);
    if (key !== undefined) {
      context.note("condition-not-expressible", here, `ports for which \`${key}\` says more are left out`);
      return [];
    }
    const list = portsOf(ports, context, here);
    return list?.length === 0 ? [] : [list];
  });
}

/** Ports that a deny closes; null = all, also where a port goes by a name. */
function deniedPorts(
  ports: readonly { readonly port?: string | number | undefined; readonly endPort?: number | undefined }[] | undefined,
): readonly number[] | null {
  const found: number[] = [];
  for (const { port, endPort } of ports ?? [{}]) {
    const number = Number(port ?? 0);
    if (!(number > 0)) return null;
    const last = Math.min(endPort ?? number, 65_535);
    for (let each = number; each <= last; each++) found.push(each);
  }
  return found;
}

const WITHIN: ReadonlySet<string> = new Set(["toEndpoints", "toServices", "toNodes", "toRequires", "toPorts", "icmps"]);
const ENTITIES_WITHIN: ReadonlySet<unknown> = new Set([
  "host",
  "remote-node",
  "cluster",
  "init",
  "ingress",
  "health",
  "unmanaged",
  "none",
  "kube-apiserver",
]);

/** Is a rule about peers inside the cluster, or addresses that no name may lead to? */
function isWithin(rule: Readonly<Record<string, unknown>>): boolean {
  const peers = Object.keys(rule).filter((key) => key !== "toPorts" && key !== "icmps");
  if (peers.length === 0) return false;
  return peers.every((key) => {
    const value = rule[key];
    if (WITHIN.has(key)) return true;
    if (!Array.isArray(value)) return false;
    if (key === "toEntities") return value.every((each) => ENTITIES_WITHIN.has(each));
    if (key === "toCIDR") return areInside(value);
    if (key === "toCIDRSet") return areInside(value.map((each) => (each as { cidr?: unknown } | null)?.cidr));
    return false;
  });
}

/** Labels that Cilium itself gives a pod. */
const NAMESPACE = "io.kubernetes.pod.namespace";
const ACCOUNT = "io.cilium.k8s.policy.serviceaccount";

/** The workloads that a selector means; null where that cannot be said. */
function subjectsOf(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  own: string | null,
  { trustDomain, canon, behind }: Context,
): readonly IdentitySelector[] | null {
  if (matchExpressions.length > 0) return null;
  const labels = Object.fromEntries(
    Object.entries(matchLabels).map(([key, value]) => [key.replace(/^(k8s|any)[:.]/, ""), value]),
  );
  const { [NAMESPACE]: named, [ACCOUNT]: account, ...others } = labels;
  if (own !== null && named !== undefined && named !== own) return [];
  const namespace = named ?? own;
  if (namespace === null) {
    return account === undefined && Object.keys(others).length === 0 ? [{ kind: "trustDomain", trustDomain }] : null;
  }
  if (Object.keys(others).length > 0) return account === undefined ? behind(namespace, others) : null;
  const spec = account === undefined ? { namespace } : { serviceAccount: `${namespace}/${account}` };
  const selector = readSelector(spec, trustDomain, canon);
  return selector.ok ? [selector.value] : null;
}
