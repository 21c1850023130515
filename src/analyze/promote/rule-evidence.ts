import { addSighting, type Sighting, type Tally, tallyOf } from "../learn/tally.ts";

/** So many requests are told. */
const EXAMPLES = 3;

/** Requests of one sort, with a few of them. */
export interface Sample {
  readonly count: number;
  readonly examples: readonly string[];
}

/** What traffic says of one rule in report mode. */
export interface RuleEvidence {
  /** Requests that it decides once it is enforced; null when there was none. */
  readonly matched: Tally | null;
  /** A deny: requests that pass and that it would stop. An allow: requests that only the fallback lets pass where it is for the workload, host and port. */
  readonly surprises: Sample;
}

/** Collects it, rule by rule. */
export interface EvidenceBook {
  match(rule: string, sighting: Sighting): void;
  surprise(rule: string, example: string): void;
  of(rule: string): RuleEvidence;
}

export function createEvidenceBook(): EvidenceBook {
  const matched = new Map<string, Tally>();
  const surprises = new Map<string, { count: number; readonly examples: Set<string> }>();
  return {
    match(rule, sighting) {
      const known = matched.get(rule);
      if (known === undefined) matched.set(rule, tallyOf(sighting));
      else addSighting(known, sighting);
    },
    surprise(rule, example) {
      const known = surprises.get(rule) ?? { count: 0, examples: new Set<string>() };
      known.count += 1;
      if (known.examples.size < EXAMPLES) known.examples.add(example);
      surprises.set(rule, known);
    },
    of(rule) {
      const { count = 0, examples = new Set<string>() } = surprises.get(rule) ?? {};
      return { matched: matched.get(rule) ?? null, surprises: { count, examples: [...examples] } };
    },
  };
}
