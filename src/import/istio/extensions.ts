import { z } from "zod";
import type { IdentitySelector } from "../../policy/model.ts";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import type { Claim } from "../draft.ts";
import { type ObjectOf, type ObjectSource, objectsOf } from "../read-objects.ts";
import { readSelector } from "../subjects.ts";
import type { Obstacle, Withheld } from "../withheld.ts";
import type { Identities } from "./approximate.ts";
import { type Gateway, holdsAt, MESH_ROOT } from "./gateway.ts";
import { targetReference } from "./schema.ts";

/** Whom the objects are held against. */
export interface Way {
  readonly gateway: Gateway;
  readonly claims: readonly Claim[];
  /** The ServiceEntry that a claim comes from; null where there is none. */
  readonly entryOf: (claim: Claim) => ObjectSource | null;
  readonly identities: Identities;
}

const labels = z.record(z.string(), z.string());
const attached = {
  selector: z.looseObject({ matchLabels: labels.optional() }).optional(),
  targetRef: targetReference.optional(),
  targetRefs: z.array(targetReference).optional(),
};
const match = z.array(z.looseObject({ mode: z.string().optional() })).optional();

const envoyFilter = z.looseObject({
  workloadSelector: z.looseObject({ labels: labels.optional() }).optional(),
  targetRefs: attached.targetRefs,
  configPatches: z
    .array(z.looseObject({ match: z.looseObject({ context: z.string().optional() }).optional() }))
    .optional(),
});
const wasmPlugin = z.looseObject({ ...attached, match, type: z.string().optional() });
const trafficExtension = z.looseObject({
  ...attached,
  match,
  lua: z.unknown().optional(),
  wasm: z.looseObject({ type: z.string().optional() }).optional(),
});
const requestAuthentication = z.looseObject({ ...attached, jwtRules: z.array(z.unknown()).optional() }).prefault({});

/** In whose way EnvoyFilter, WasmPlugin, TrafficExtension and RequestAuthentication lie. */
export function extensionsOf(all: readonly ObjectSource[], way: Way, problems: SourceProblem[]): readonly Obstacle[] {
  const read = <S extends z.ZodType>(group: string, kind: string, schema: S): readonly ObjectOf<z.output<S>>[] => {
    const found = objectsOf(all, group, kind, schema);
    problems.push(...found.problems);
    return found.objects;
  };
  return [
    ...read("networking.istio.io", "EnvoyFilter", envoyFilter).map((object) => {
      const { workloadSelector, targetRefs, configPatches = [] } = object.spec;
      const contexts = new Set(configPatches.map((each) => each.match?.context ?? "ANY"));
      const seats = {
        gateway: ["ANY", "GATEWAY"].some((each) => contexts.has(each)),
        sidecars: ["ANY", "SIDECAR_OUTBOUND"].some((each) => contexts.has(each)),
        waypoints: contexts.size > 0,
      };
      return obstacle(
        { object, labels: workloadSelector?.labels, targets: targetRefs ?? [], seats, traffic: null },
        way,
      );
    }),
    ...read("extensions.istio.io", "WasmPlugin", wasmPlugin).map((object) =>
      obstacle(plugin(object, object.spec.type === "NETWORK" ? null : "requests"), way),
    ),
    ...read("extensions.istio.io", "TrafficExtension", trafficExtension).map((object) => {
      const { lua, wasm } = object.spec;
      return obstacle(plugin(object, lua === undefined && wasm?.type === "NETWORK" ? null : "requests"), way);
    }),
    ...read("security.istio.io", "RequestAuthentication", requestAuthentication).map((object) => {
      const asks = (object.spec.jwtRules ?? []).length > 0;
      // At sidecars it is about what they accept.
      const seats = { gateway: asks, sidecars: false, waypoints: asks };
      return obstacle({ ...attachment(object), seats, traffic: "requests" }, way);
    }),
  ];
}

interface Attachment {
  readonly object: ObjectOf<unknown>;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly targets: readonly z.output<typeof targetReference>[];
}

interface Placed extends Attachment {
  /** The proxies that it would hold for where it is. */
  readonly seats: { readonly gateway: boolean; readonly sidecars: boolean; readonly waypoints: boolean };
  readonly traffic: Withheld["traffic"];
}

type Attached = Pick<z.output<typeof wasmPlugin>, "selector" | "targetRef" | "targetRefs">;

function attachment(object: ObjectOf<Attached>): Attachment {
  const { selector, targetRef, targetRefs = [] } = object.spec;
  const targets = targetRef === undefined ? targetRefs : [targetRef, ...targetRefs];
  return { object, labels: selector?.matchLabels, targets };
}

function plugin(object: ObjectOf<z.output<typeof wasmPlugin>>, traffic: Withheld["traffic"]): Placed {
  const { match: selectors = [] } = object.spec;
  const outbound = selectors.length === 0 || selectors.some(({ mode }) => mode !== "SERVER");
  return { ...attachment(object), seats: { gateway: true, sidecars: outbound, waypoints: true }, traffic };
}

function obstacle({ object, labels: asked, targets, seats, traffic }: Placed, way: Way): Obstacle {
  const { namespace, name } = object;
  const about = { name, traffic, at: object.at() };
  const withheld: Withheld[] = [];
  const selector = asked === undefined ? {} : { selector: { matchLabels: asked } };
  const refs = targets.length === 0 ? {} : { targetRefs: [...targets] };
  const held = holdsAt({ namespace, spec: { ...selector, ...refs } }, way.gateway);
  if (seats.gateway && held !== "no") withheld.push({ ...about, from: null, hosts: null });
  if (seats.sidecars && targets.length === 0) {
    const from = namespaceOf(namespace, way.identities);
    if (from === null || from.length > 0) withheld.push({ ...about, from, hosts: null });
  }
  if (seats.waypoints) {
    const hosts = servedThrough(targets, namespace, way);
    if (hosts.length > 0) withheld.push({ ...about, from: null, hosts });
  }
  return { object, withheld };
}

/** The workloads of a namespace; null, everyone, for that of the whole mesh. */
export function namespaceOf(namespace: string, { trustDomain, canon }: Identities): readonly IdentitySelector[] | null {
  if (namespace === MESH_ROOT) return null;
  const selector = readSelector({ namespace }, trustDomain, canon);
  return selector.ok ? [selector.value] : [];
}

/** The hosts behind what `targetRefs` name: one ServiceEntry, or all that a waypoint of this namespace may serve. */
export function servedThrough(
  targets: readonly { readonly kind?: string | undefined; readonly name?: string | undefined }[],
  namespace: string,
  { claims, entryOf }: Way,
): readonly Claim["pattern"][] {
  const served = claims.filter((claim) => {
    const entry = entryOf(claim);
    if (entry === null) return targets.some(({ kind }) => kind !== "Service");
    return targets.some(({ kind, name }) => {
      if (kind === "ServiceEntry") return entry.namespace === namespace && entry.name === name;
      if (kind === "GatewayClass") return namespace === MESH_ROOT || entry.namespace === namespace;
      return kind !== "Service" && entry.namespace === namespace;
    });
  });
  return [...new Set(served.map(({ pattern }) => pattern))];
}
