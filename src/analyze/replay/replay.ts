import type { Decision } from "../../pdp/decision.ts";
import type { Effect } from "../../policy/model.ts";
import { vocabularyOf } from "../atoms/vocabulary.ts";
import { type Change, changeOf } from "../change.ts";
import { type Again, decideAgain, type ReplayPolicies } from "./decide-again.ts";
import { type RecordedDecision, requestText, sameTexts, type Unknown } from "./recorded-decision.ts";

/** What was decided, or is. */
export interface Outcome {
  readonly effect: Effect;
  readonly shadow: Effect;
  readonly reason: string;
  readonly rules: readonly string[];
  readonly shadowRules: readonly string[];
}

/** Requests that change alike: of one workload, to one service or host, for the same reasons. */
export interface ChangedRequests {
  readonly change: Change;
  readonly from: string;
  readonly kind: RecordedDecision["target"]["protocol"];
  /** Null when no service owns the target. */
  readonly service: string | null;
  readonly port: number | string | null;
  readonly was: Outcome;
  readonly now: Outcome;
  readonly count: number;
  /** RFC 3339. */
  readonly first: string;
  readonly last: string;
  /** Some hosts, methods and paths of them, as they came. */
  readonly examples: readonly string[];
}

/** Requests that cannot be told for the same want. */
export interface UndecidableRequests {
  readonly on: readonly Unknown[];
  readonly count: number;
  readonly example: string;
}

/** What became of recorded requests. */
export interface ReplayReport {
  readonly revision: string;
  readonly records: number;
  /** RFC 3339; null when there are no records. */
  readonly first: string | null;
  readonly last: string | null;
  /** Same effect and shadow; of them, `otherwise` for other reasons or by other rules. */
  readonly same: number;
  readonly otherwise: number;
  readonly changed: Readonly<Record<Change, number>>;
  readonly undecidable: number;
  /** Records of answers that were the server's own, as when it had no policies. */
  readonly own: number;
  /** Requests by how their own revision says the same again. */
  readonly reproduced: { readonly exact: number; readonly completed: number; readonly withheld: number };
  /** Their revision is not at hand; which, and how many. */
  readonly absent: ReadonlyMap<string, number>;
  /** Our faults: how many, and some of them. */
  readonly failed: number;
  readonly failures: readonly { readonly record: RecordedDecision; readonly got: Outcome }[];
  /** Widening first, then by number. */
  readonly classes: readonly ChangedRequests[];
  readonly undecidableClasses: readonly UndecidableRequests[];
}

/** Takes records one by one and holds what changes, not the records. */
export interface Replay {
  add(record: RecordedDecision): void;
  report(): ReplayReport;
}

const EXAMPLES = 3;
const FAILURES = 10;
const CHANGES: readonly Change[] = ["widening", "narrowing", "shadow-widening", "shadow-narrowing"];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @param was policies of other revisions, under which their own records are decided too */
export function createReplay(now: ReplayPolicies, was: readonly ReplayPolicies[]): Replay {
  const vocabulary = vocabularyOf([now.set, ...was.map(({ set }) => set)]);
  const byRevision = new Map([...was, now].map((each) => [each.engine.revision, each]));
  const classes = new Map<string, Mutable<ChangedRequests> & { examples: string[] }>();
  const wants = new Map<string, Mutable<UndecidableRequests>>();
  const absent = new Map<string, number>();
  const reproduced = { exact: 0, completed: 0, withheld: 0 };
  const changed: Record<Change, number> = {
    widening: 0,
    narrowing: 0,
    "shadow-widening": 0,
    "shadow-narrowing": 0,
  };
  const failures: ReplayReport["failures"][number][] = [];
  const counts = { records: 0, same: 0, otherwise: 0, undecidable: 0, own: 0, failed: 0 };
  let first: string | null = null;
  let last: string | null = null;

  function count(key: keyof typeof counts): void {
    counts[key] += 1;
  }

  function take(record: RecordedDecision, again: Again): void {
    if (again.kind === "own" || again.kind === "failed") {
      count(again.kind);
      if (again.kind === "failed" && failures.length < FAILURES) failures.push({ record, got: again.got });
      return;
    }
    if (again.reproduction !== "absent") reproduced[again.reproduction] += 1;
    else absent.set(record.revision ?? "none", (absent.get(record.revision ?? "none") ?? 0) + 1);
    if (again.kind === "refused") count("same");
    else if (again.kind === "undecidable") want(record, again.on);
    else compare(record, again.now, again.shadow);
  }

  function compare(record: RecordedDecision, outcome: Decision, shadowIsKnown: boolean): void {
    const change = changeOf(record, shadowIsKnown ? outcome : { ...outcome, shadow: record.shadow });
    if (change !== null) {
      changed[change] += 1;
      keep(change, record, outcome, outcome.service);
      return;
    }
    count("same");
    if (outcome.reason !== record.reason || !sameTexts(outcome.rules, record.rules)) count("otherwise");
  }

  function want(record: RecordedDecision, on: readonly Unknown[]): void {
    count("undecidable");
    const key = on.join();
    const known = wants.get(key);
    if (known === undefined) wants.set(key, { on, count: 1, example: requestText(record) });
    else known.count += 1;
  }

  function keep(change: Change, record: RecordedDecision, outcome: Outcome, service: string | null): void {
    const { subject, target, time } = record;
    const where = service ?? target.host;
    const key = JSON.stringify([
      ...[change, subject.spiffeId, target.protocol, where, target.port, record.reason, outcome.reason],
      ...[record.rules, outcome.rules, record.shadowRules, outcome.shadowRules],
    ]);
    const example = requestText(record);
    const known = classes.get(key);
    if (known === undefined) {
      classes.set(key, {
        ...{ change, from: subject.spiffeId, kind: target.protocol, service, port: target.port },
        ...{ was: outcomeOf(record), now: outcomeOf(outcome), count: 1, first: time, last: time, examples: [example] },
      });
      return;
    }
    known.count += 1;
    if (time < known.first) known.first = time;
    if (time > known.last) known.last = time;
    if (known.examples.length < EXAMPLES && !known.examples.includes(example)) known.examples.push(example);
  }

  return {
    add(record) {
      count("records");
      if (first === null || record.time < first) first = record.time;
      if (last === null || record.time > last) last = record.time;
      const own = record.revision === null ? null : (byRevision.get(record.revision) ?? null);
      take(record, decideAgain(record, Date.parse(record.time), now, own, vocabulary));
    },
    report: () => ({
      revision: now.engine.revision,
      ...{ ...counts, first, last, changed, reproduced, absent, failures },
      classes: [...classes.values()].sort(
        (one, other) =>
          CHANGES.indexOf(one.change) - CHANGES.indexOf(other.change) ||
          other.count - one.count ||
          (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1),
      ),
      undecidableClasses: [...wants.values()].sort((one, other) => other.count - one.count),
    }),
  };
}

function outcomeOf({ effect, shadow, reason, rules, shadowRules }: Outcome): Outcome {
  return { effect, shadow, reason, rules, shadowRules };
}
