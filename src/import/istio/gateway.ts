import type { z } from "zod";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import { type ObjectOf, type ObjectSource, objectsOf } from "../read-objects.ts";
import { gateway as gatewaySchema } from "./route-schema.ts";
import type { Entrance } from "./routes.ts";
import type { authorizationPolicy } from "./schema.ts";

/** The egress gateway's pods. */
export interface Gateway {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The Gateway objects that are for sure the gateway's. */
  readonly entrances: readonly Entrance[];
}

/** Where a policy without a selector holds for the whole mesh. */
export const MESH_ROOT = "istio-system";
const DEFAULT_LABELS = { istio: "egressgateway" };

/** Finds the gateway's labels: those that are given, else those that all Gateway objects select, else Istio's own. */
export function gatewayOf(
  all: readonly ObjectSource[],
  labels: Readonly<Record<string, string>> | null,
  namespace: string,
  problems: SourceProblem[],
): Gateway | null {
  const { objects, problems: bad } = objectsOf(all, "networking.istio.io", "Gateway", gatewaySchema);
  problems.push(...bad);
  const gatewayWith = (own: Gateway["labels"]): Gateway => ({
    namespace,
    labels: own,
    entrances: objects
      .filter(({ spec }) => Object.entries(spec.selector ?? {}).every(([key, value]) => own[key] === value))
      .map((each) => ({
        name: `${each.namespace}/${each.name}`,
        namespace: each.namespace,
        servers: each.spec.servers ?? [],
      })),
  });
  if (labels !== null) return gatewayWith(labels);
  const [first, ...others] = objects;
  const selected = first?.spec.selector ?? {};
  const odd = others.find(({ spec }) => JSON.stringify(spec.selector ?? {}) !== JSON.stringify(selected));
  if (odd === undefined) return gatewayWith(Object.keys(selected).length === 0 ? DEFAULT_LABELS : selected);
  const message = "the Gateway objects select different pods: say which are the egress gateway's";
  const at = odd.at("selector");
  const fix = "--selector istio=egressgateway";
  problems.push({ code: "unknown-value", message, at, excerpt: odd.source.excerpt(at), fix });
  return null;
}

/**
 * Is the policy for pods with the gateway's labels in another namespace? Then the gateway is likely there, and what is
 * denied there would be missed.
 */
export function isElsewhere(
  { namespace, spec }: ObjectOf<z.output<typeof authorizationPolicy>>,
  gateway: Gateway,
): boolean {
  if (namespace === gateway.namespace || namespace === MESH_ROOT) return false;
  const labels = Object.entries(spec.selector?.matchLabels ?? {});
  return labels.length > 0 && labels.every(([key, value]) => gateway.labels[key] === value);
}

/**
 * Does a policy hold at the gateway? `perhaps`: it asks for labels that are not known of the gateway's pods, or refers to
 * an object.
 */
export function holdsAt(
  {
    namespace,
    spec,
  }: {
    readonly namespace: string;
    readonly spec: Pick<z.output<typeof authorizationPolicy>, "selector" | "targetRef" | "targetRefs">;
  },
  gateway: Gateway,
): "yes" | "perhaps" | "no" {
  if (namespace !== gateway.namespace && namespace !== MESH_ROOT) return "no";
  const labels = Object.entries(spec.selector?.matchLabels ?? {});
  if (labels.some(([key, value]) => Object.hasOwn(gateway.labels, key) && gateway.labels[key] !== value)) return "no";
  if (spec.targetRef !== undefined || (spec.targetRefs ?? []).length > 0) return "perhaps";
  return labels.every(([key]) => Object.hasOwn(gateway.labels, key)) ? "yes" : "perhaps";
}
