import { enforcement } from "../../src/analyze/enforcement.ts";
import { askedRequest } from "../../src/analyze/request.ts";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import type { PolicySet, ServicePort } from "../../src/policy/model.ts";

/** A workload of the mesh. */
export interface Workload {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Where applications try to go. */
export interface Target {
  readonly host: string;
  readonly port: ServicePort;
  /** Protocol that the request upgrades to, or null. */
  readonly upgrade: string | null;
}

/** Who could go where in a policy set, and what `sallyport check` says of it. */
export interface Reach {
  /** Whoever a rule names, and somebody in each of their namespaces whom none does. */
  readonly workloads: readonly Workload[];
  readonly targets: readonly Target[];
  /** Does it leave the mesh? */
  leaves(workload: Workload, target: Target): boolean;
}

export function reachOf(set: PolicySet): Reach {
  const engine = createEngine(readEngineModule(), compileBundle(set));
  return {
    workloads: workloadsOf(set),
    targets: set.services.flatMap(({ hosts, ports }) =>
      hosts
        .flatMap(reachable)
        .flatMap((host) => ports.flatMap((port) => upgradesOf(set, port).map((upgrade) => ({ host, port, upgrade })))),
    ),
    leaves({ namespace, serviceAccount }, target) {
      const from = `${namespace}/${serviceAccount}`;
      const asked = askedRequest(
        { from, to: written(target), headers: headersOf(target), upgrade: target.upgrade },
        set.gateway.trustDomains[0] ?? "",
      );
      if (!asked.ok) throw new Error(`${from} ${written(target)}`);
      const decision = engine.decide(asked.value.input, Date.now());
      return enforcement(set, decision).leaves;
    },
  };
}

/** Plain requests, and upgrades if some rule names one. */
function upgradesOf({ policies }: PolicySet, { protocol }: ServicePort): readonly (string | null)[] {
  const named = policies.flatMap(({ rules }) => rules.flatMap(({ upgrades }) => upgrades));
  return protocol === "HTTP" ? [null, ...new Set(named)] : [null];
}

/** Under a wildcard, one host that a rule may name and one that none does. */
function reachable(host: string): readonly string[] {
  return host.startsWith("*.") ? [`a.${host.slice(2)}`, `b.${host.slice(2)}`] : [host];
}

function written({ host, port: { number, protocol } }: Target): string {
  if (protocol === "TCP") return `TCP ${host}:${number}`;
  if (protocol === "TLS" || protocol === "HTTPS") return `TLS ${host}:${number}`;
  return `${protocol === "GRPC" ? "POST" : "GET"} http://${host}:${number}/x`;
}

function headersOf({ port: { protocol } }: Target): Readonly<Record<string, string>> {
  return protocol === "GRPC" ? { "content-type": "application/grpc" } : {};
}

function workloadsOf(set: PolicySet): readonly Workload[] {
  const members = set.policies
    .flatMap(({ rules }) => rules.flatMap(({ from }) => from ?? []))
    .flatMap((subject) => {
      if (subject.kind === "namespace") return [{ namespace: subject.namespace, serviceAccount: "member" }];
      const [, namespace, serviceAccount] =
        subject.kind === "id" ? (/^\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(subject.path) ?? []) : [];
      return namespace === undefined || serviceAccount === undefined ? [] : [{ namespace, serviceAccount }];
    });
  const strangers = [...members.map(({ namespace }) => namespace), "elsewhere"].map((namespace) => ({
    namespace,
    serviceAccount: "stranger",
  }));
  const all = [...members, ...strangers];
  return [...new Map(all.map((each) => [`${each.namespace}/${each.serviceAccount}`, each])).values()];
}
