import type { CheckKind, Decision } from "../../pdp/decision.ts";
import type { Engine } from "../../pdp/engine.ts";
import type { Effect } from "../../policy/model.ts";
import { parseMethod, parseName } from "../../policy/token.ts";
import { askAgain, decidedBy, decisionId, evidenceText, type TakeRecord } from "../evidence/recorded-request.ts";
import type { RecordedDecision } from "../replay/recorded-decision.ts";
import type { LeftOutCounter, LeftOutWhy } from "./left-out.ts";
import { addPath, createPathTree, type PathTree } from "./path-tree.ts";
import { writableSegments } from "./writable.ts";

/** What one workload asked of one host on one port, as far as no rule allows it. */
export interface Edge {
  readonly kind: CheckKind;
  /** Canonical. */
  readonly host: string;
  readonly port: number;
  /** Whether a service that the workload sees registers it. */
  readonly registered: boolean;
  /** On TLS and TCP the one path without segments. */
  readonly tree: PathTree;
}

export interface SeenWorkload {
  /** Canonical. */
  readonly spiffeId: string;
  /** Null for identities that no namespace can speak for. */
  readonly namespace: string | null;
  readonly serviceAccount: string | null;
  readonly edges: ReadonlyMap<string, Edge>;
}

/** Takes recorded requests one by one, and holds what they teach, not the requests. */
export interface Gatherer {
  readonly add: TakeRecord;
  /** Requests that rules of the set allow, in force or in report mode. */
  readonly covered: number;
  workloads(): readonly SeenWorkload[];
}

export interface GatherOptions {
  readonly nowMs: number;
  readonly mostLiterals: number;
  /** Rules whose conditions a trail does not hold: what they allowed or denied, they allow or deny. */
  readonly unseen: Readonly<Record<Effect, ReadonlySet<string>>>;
}

/** Reasons by which something let a request pass. */
const PASSED: ReadonlySet<string> = new Set(["allowed-by-rule", "fallback-report", "fallback-allow"]);
/** So many places and endings of one workload are held: it cannot use up the memory for the others. */
const MOST_SIZE = 20_000;

interface Gathering {
  readonly namespace: string | null;
  readonly serviceAccount: string | null;
  readonly edges: Map<string, Edge>;
  size: number;
  requests: number;
}

/** @param engine with the closed set: it says what no rule allows, and refuses what none may */
export function createGatherer(engine: Engine, options: GatherOptions, leftOut: LeftOutCounter): Gatherer {
  const { nowMs, mostLiterals, unseen } = options;
  const gathered = new Map<string, Gathering>();
  let covered = 0;

  function gatheringOf({ spiffeId, namespace, serviceAccount }: NonNullable<Decision["subject"]>): Gathering {
    const known = gathered.get(spiffeId);
    if (known !== undefined) return known;
    const made = { namespace, serviceAccount, edges: new Map<string, Edge>(), size: 0, requests: 0 };
    gathered.set(spiffeId, made);
    return made;
  }

  function learn(record: RecordedDecision, timeMs: number, { subject, target, reason }: Decision): LeftOutWhy | null {
    const { protocol: kind, method, path } = record.target;
    if (subject === null || target === null) return "invalid-target";
    if (subject.namespace !== null && !parseName(subject.namespace).ok) return "unwritable-workload";
    const http = kind === "http";
    if (http && !parseMethod(method ?? "").ok) return "unwritable-method";
    const segments = http ? writableSegments(path ?? "") : [];
    if (segments === null) return "unwritable-path";
    const gathering = gatheringOf(subject);
    gathering.requests += 1;
    if (gathering.size > MOST_SIZE) return null;
    const registered = reason !== "unregistered-target";
    const key = `${kind} ${target.host}:${target.port} ${registered}`;
    let edge = gathering.edges.get(key);
    if (edge === undefined) {
      edge = { kind, ...target, registered, tree: createPathTree(mostLiterals) };
      gathering.edges.set(key, edge);
      gathering.size += 1;
    }
    const before = edge.tree.size;
    const sighting = { timeMs, id: decisionId(record), segments };
    addPath(edge.tree, { ...sighting, method: (http ? method : null) ?? "", path: (http ? path : null) ?? "" });
    gathering.size += edge.tree.size - before;
    return null;
  }

  return {
    add(record, timeMs) {
      const because = (why: LeftOutWhy): void => leftOut.add(why, evidenceText(record));
      if (record.effect !== "allow" || !PASSED.has(record.reason)) return because("was-denied");
      const decision = askAgain(engine, record, nowMs);
      if (decidedBy(record, "deny").some((id) => unseen.deny.has(id))) return because("denied-by-rule");
      if (decision.effect === "allow" || decidedBy(record, "allow").some((id) => unseen.allow.has(id))) {
        covered += 1;
        return undefined;
      }
      const why = REFUSED[decision.reason] ?? learn(record, timeMs, decision);
      return why === null ? undefined : because(why);
    },
    get covered() {
      return covered;
    },
    workloads: () =>
      [...gathered].flatMap(([spiffeId, { namespace, serviceAccount, edges, size, requests }]) => {
        if (size <= MOST_SIZE) return [{ spiffeId, namespace, serviceAccount, edges }];
        leftOut.add("too-varied", spiffeId, requests);
        return [];
      }),
  };
}

/** What no rule may open, or what somebody decided against. */
const REFUSED: Partial<Readonly<Record<Decision["reason"], LeftOutWhy>>> = {
  "no-identity": "identity-refused",
  "invalid-identity": "identity-refused",
  "foreign-trust-domain": "identity-refused",
  "namespace-invalid": "identity-refused",
  "invalid-target": "invalid-target",
  "upgrade-not-allowed": "upgrade-not-allowed",
  "guarded-target": "guarded-target",
  "denied-by-rule": "denied-by-rule",
  "rule-expired": "rule-expired",
};
