import { compileBundle } from "../../bundle/compile.ts";
import { createEngine } from "../../pdp/engine.ts";
import type { Canonicaliser } from "../../policy/canonicaliser.ts";
import type { PolicySet } from "../../policy/model.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import { fail, ok, type Result } from "../../policy/result.ts";
import { closedSet } from "../evidence/closed-set.ts";
import type { TakeRecord } from "../evidence/recorded-request.ts";
import { unseenRules } from "../evidence/unseen-rules.ts";
import { type Draft, type DraftOptions, draftFiles, nameDraft } from "./draft.ts";
import { createGatherer, type SeenWorkload } from "./gather.ts";
import { type LearntTarget, type Thresholds, targetOf } from "./learnt-rule.ts";
import { createLeftOutCounter, type LeftOut, type LeftOutCounter } from "./left-out.ts";
import { type LearntWorkload, missingServices, type Refusal } from "./missing-services.ts";
import { type ProvenDraft, proveDraft } from "./prove-draft.ts";
import { wildcardEdges } from "./wildcards.ts";

/** The policy set that is learnt for. */
export interface LearnFrom {
  readonly set: PolicySet;
  readonly sources: readonly PolicyFile[];
  readonly module: WebAssembly.Module;
  readonly canon: Canonicaliser;
}

export interface LearnOptions extends DraftOptions, Thresholds {
  readonly nowMs: number;
  /** So many different segments of one place become `{*}`. */
  readonly mostLiterals: number;
  /** So many hosts of one parent become a wildcard; null = never. */
  readonly wildcardHosts: number | null;
}

/** What a trail taught. */
export interface Learnt extends Draft, ProvenDraft {
  /** Requests that rules of the set allow already. */
  readonly covered: number;
  /** Requests that the draft allows. */
  readonly learnt: number;
  readonly leftOut: readonly LeftOut[];
}

/** Takes recorded requests one by one. */
export interface Learner {
  readonly add: TakeRecord;
  /** The draft, proven; a failure when it would not hold, with what is wrong. */
  finish(): Result<Learnt>;
}

/** So much of one workload can be reviewed: more is not learnt. */
const MOST_CLASSES = 1_000;

/**
 * Learns the least that allows what was let pass and no rule allows. All that is denied, guarded or expired under the set as it
 * would be enforced stays so. Pure but for the instant it is given.
 */
export function createLearner({ set, sources, module, canon }: LearnFrom, options: LearnOptions): Learner {
  const leftOut = createLeftOutCounter();
  const engine = createEngine(module, compileBundle(closedSet(set)));
  const unseen = { allow: unseenRules(set, "allow"), deny: unseenRules(set, "deny") };
  const { nowMs, mostLiterals } = options;
  const gatherer = createGatherer(engine, { nowMs, mostLiterals, unseen }, leftOut);
  const hosts = { atLeast: options.wildcardHosts, canon, clusterDomain: set.gateway.clusterDomain };
  return {
    add: gatherer.add,
    finish() {
      const seen = gatherer.workloads().flatMap((each): LearntWorkload[] => {
        const targets = wildcardEdges([...each.edges.values()], hosts).flatMap((edge): LearntTarget[] => {
          const { target, rare } = targetOf(edge, options);
          if (rare !== null) leftOut.add("below-threshold", `${each.spiffeId} ${edge.host}:${edge.port}`, rare.count);
          return target === null ? [] : [target];
        });
        const sorted = targets.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
        const learnt = { ...speaker(set, each), spiffeId: each.spiffeId, targets: sorted };
        return isReviewable(learnt, leftOut) ? [learnt] : [];
      });
      const all = proven(seen);
      // What one workload chose to ask for must not keep the others from being learnt.
      const good = all.ok ? seen : seen.filter((each) => isProvable(each));
      const found = good.length === seen.length ? all : proven(good);
      if (!found.ok) return found;
      const { draft, files, brokenTests, refusals } = found.value;
      for (const { workload, target, why } of refusals) {
        leftOut.add(why, `${workload.spiffeId} ${target.edge.host}:${target.edge.port}`, target.tally.count);
      }
      const learnt = draft.policies.reduce((sum, { workload }) => sum + requestsOf(workload), 0);
      return ok({ ...draft, covered: gatherer.covered, learnt, leftOut: leftOut.all(), files, brokenTests });
    },
  };

  function proven(seen: readonly LearntWorkload[]): Result<Proven> {
    const { services, refusals } = missingServices(set, seen);
    const refused = new Set(refusals.map(({ target }) => target));
    const workloads = seen
      .map((each) => ({ ...each, targets: each.targets.filter((target) => !refused.has(target)) }))
      .filter(({ targets }) => targets.length > 0)
      .sort((a, b) => (a.from < b.from ? -1 : 1));
    const draft = nameDraft(set, sources, workloads, services);
    try {
      const from = { set, sources, module, canon, nowMs };
      return ok({ draft, refusals, ...proveDraft(draftFiles(draft, set, options), draft.policies, from) });
    } catch (error) {
      return fail(`what was learnt does not hold: ${error instanceof Error ? error.message : error}`);
    }
  }

  function isProvable(workload: LearntWorkload): boolean {
    const alone = proven([workload]);
    if (!alone.ok) leftOut.add("unprovable", `${workload.spiffeId}: ${alone.message}`, requestsOf(workload));
    return alone.ok;
  }
}

/** A draft that holds. */
interface Proven extends ProvenDraft {
  readonly draft: Draft;
  readonly refusals: readonly Refusal[];
}

function requestsOf({ targets }: LearntWorkload): number {
  return targets.reduce((sum, { tally }) => sum + tally.count, 0);
}

/** Orders targets, whatever the order of the trail. */
function placeOf({ edge }: LearntTarget): string {
  return `${edge.host} ${String(edge.port).padStart(5, "0")} ${edge.kind}`;
}

/** Who may speak for a workload, and how it is named there. */
function speaker(set: PolicySet, { spiffeId, namespace, serviceAccount }: SeenWorkload) {
  if (namespace === null || serviceAccount === null) return { scope: "", from: spiffeId };
  return { scope: namespace === set.gateway.namespace ? "" : namespace, from: `${namespace}/${serviceAccount}` };
}

function isReviewable(workload: LearntWorkload, leftOut: LeftOutCounter): boolean {
  const { spiffeId, targets } = workload;
  const classes = targets.flatMap(({ patterns }) =>
    patterns.length === 0 ? [1] : patterns.map((p) => p.methods.length),
  );
  if (classes.reduce((sum, each) => sum + each, 0) <= MOST_CLASSES) return true;
  leftOut.add("too-varied", spiffeId, requestsOf(workload));
  return false;
}
