import { printable } from "../../policy/printable.ts";

/** Why a recorded request taught nothing, in the order in which a report tells. */
export const LEFT_OUT = {
  "was-denied": "was denied when it was recorded",
  "denied-by-rule": "a deny stops it, in force or in report mode",
  "rule-expired": "a rule for it has expired: ask its owner",
  "identity-refused": "its identity is not accepted",
  "guarded-target": "addresses, the cluster's own and metadata names are guarded",
  "invalid-target": "its target is not valid",
  "upgrade-not-allowed": "it tunnels or upgrades",
  "unwritable-workload": "its namespace is no name that a policy directory can have",
  "unwritable-method": "its method is none that a policy can name",
  "unwritable-path": "its path is ambiguous, cut short or has signs that no pattern can say",
  "registered-otherwise": "its host and port are registered for another protocol or another namespace",
  "two-protocols": "its host and port were used with two protocols",
  "too-varied": "its workload asked for more different things than anybody can review",
  unprovable: "its workload asked for what comes to more than the language takes",
  "below-threshold": "was seen too rarely",
} as const;

export type LeftOutWhy = keyof typeof LEFT_OUT;

/** Requests that taught nothing. */
export interface LeftOut {
  readonly why: LeftOutWhy;
  readonly count: number;
  /** At most `EXAMPLES`, printable: the first that came. */
  readonly examples: readonly string[];
}

/** So many are told. */
const EXAMPLES = 3;

/** Counts what is left out. */
export interface LeftOutCounter {
  add(why: LeftOutWhy, example: string, count?: number): void;
  all(): readonly LeftOut[];
}

export function createLeftOutCounter(): LeftOutCounter {
  const found = new Map<LeftOutWhy, { count: number; readonly examples: Set<string> }>();
  return {
    add(why, example, count = 1) {
      const known = found.get(why) ?? { count: 0, examples: new Set<string>() };
      known.count += count;
      if (known.examples.size < EXAMPLES) known.examples.add(printable(example.slice(0, 200)));
      found.set(why, known);
    },
    all: () =>
      (Object.keys(LEFT_OUT) as LeftOutWhy[]).flatMap((why) => {
        const known = found.get(why);
        return known === undefined ? [] : [{ why, count: known.count, examples: [...known.examples] }];
      }),
  };
}
