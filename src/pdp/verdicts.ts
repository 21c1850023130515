import { LAYOUT } from "../bundle/layout.ts";
import type { Fallback } from "../policy/model.ts";
import type { ExpressionOutcome } from "../policy/when/evaluate-expression.ts";
import type { Decision } from "./decision.ts";
import type { EngineInstance } from "./engine-instance.ts";

/** What a condition comes to. In doubt counts as false for an allow and as true for a deny. */
export type Verdict = "false" | "true" | "doubt";

/**
 * Whether a target is the one asked for. If not: `elsewhere` = another host or service, `unowned` = nobody registers it for
 * the workload, `hidden` = the namespace's own service stands before this global one, `wider` = a narrower registered pattern
 * owns it, `foreign` = a namespace's own service, which a root allow does not see.
 */
export type Binding = "elsewhere" | "unowned" | "hidden" | "wider" | "foreign" | "bound";

/** What the conditions of one item of a rule come to, but for its headers. */
export interface ItemVerdict {
  /** The workload is one that the item's selector means. */
  readonly subject: boolean;
  /** The policy speaks for the workload. */
  readonly scope: boolean;
  readonly binding: Binding;
  readonly port: boolean;
  readonly window: "before" | "within" | "after";
  readonly methods: Verdict;
  readonly paths: Verdict;
  /** No upgrade is asked for, or the rule names it, or the rule is a deny. */
  readonly upgrade: boolean;
}

/** A decision, and what each condition of each rule came to in it. Its functions may be called until the engine is asked again. */
export interface Verdicts {
  readonly decision: Decision;
  /** `refused` = before the registry: no condition can be asked. `unregistered` = they can, but no rule counted. */
  readonly stage: "refused" | "unregistered" | "rules";
  /** The fallback that counts for the workload; null at the stage `refused`. */
  readonly fallback: Fallback | null;
  /** Whether a subject of the bundle holds the workload. */
  holds(subject: number): boolean;
  /** `offset` = the item's offset in the bundle. */
  item(item: { readonly subject: number; readonly target: number; readonly offset: number }): ItemVerdict;
  /** One header condition of an item, by its place among them. */
  header(offset: number, index: number): Verdict;
  /** The expression of an item's rule; null = it has none. */
  when(offset: number): ExpressionOutcome | null;
}

const STAGES = ["refused", "unregistered", "rules"] as const;
const FALLBACKS = ["deny", "report", "allow"] as const;
const VERDICTS = ["false", "true", "doubt"] as const;
const BINDINGS = ["elsewhere", "unowned", "hidden", "wider", "foreign", "bound"] as const;
const WINDOWS = ["before", "within", "after"] as const;
/** Asks for the conditions of the question that was decided. */
export function readVerdicts(
  { exports }: EngineInstance,
  nowMs: number,
  decision: Decision,
  when: Verdicts["when"],
): Verdicts {
  const stage = coded(STAGES, exports.decideAndExplain(nowMs));
  return {
    decision,
    stage,
    fallback: stage === "refused" ? null : coded(FALLBACKS, exports.effectiveFallback()),
    holds: (subject) => exports.holds(subject) !== 0,
    item({ subject, target, offset }) {
      const bits = exports.explain(subject, target, offset);
      const field = <T>(names: readonly T[], at: number, width: number): T => coded(names, (bits >>> at) & width);
      return {
        subject: (bits & LAYOUT.X_SUBJECT) !== 0,
        scope: (bits & LAYOUT.X_SCOPE) !== 0,
        binding: field(BINDINGS, LAYOUT.X_BINDING_AT, 15),
        port: (bits & LAYOUT.X_PORT) !== 0,
        window: field(WINDOWS, LAYOUT.X_WINDOW_AT, 3),
        methods: field(VERDICTS, LAYOUT.X_METHODS_AT, 3),
        paths: field(VERDICTS, LAYOUT.X_PATHS_AT, 3),
        upgrade: (bits & LAYOUT.X_UPGRADE) !== 0,
      };
    },
    header: (offset, index) => coded(VERDICTS, exports.explainHeader(offset, index)),
    when,
  };
}

function coded<T>(names: readonly T[], code: number): T {
  const name = names[code];
  if (name === undefined) throw new RangeError(`the engine answered the unknown code ${code}`);
  return name;
}
