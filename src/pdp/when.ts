import type { BundleReader } from "../bundle/bundle-reader.ts";
import { LAYOUT } from "../bundle/layout.ts";
import { createEvaluate, type Evaluate, type ExpressionOutcome } from "../policy/when/evaluate-expression.ts";
import type { ExpressionInputs } from "../policy/when/inputs.ts";
import type { CheckInput, Decision } from "./decision.ts";
import type { EngineInstance } from "./engine-instance.ts";

/** Evaluates the expressions of a bundle about the question that its engine has. */
export interface Whens {
  /** Evaluates what the answer waits for and gives it to the engine; with `assume`, what that says of it instead. */
  answerAll(asked: AskedAbout, assume: Assume | null): void;
  /** What the expression of an item comes to, for explaining; null = it has none. `offset` = the item's offset in the bundle. */
  ofItem(offset: number, asked: AskedAbout): ExpressionOutcome | null;
}

/** What to take an expression for, by its text, whatever it would come to. */
export type Assume = (expression: string) => ExpressionOutcome["truth"];

/** The question, and what the engine made of workload and target. */
export interface AskedAbout {
  readonly input: CheckInput;
  readonly nowMs: number;
  readonly decision: Pick<Decision, "subject" | "target" | "service">;
}

const TRUTHS = { false: 0, true: 1, doubt: 2 } as const;

/** Expressions are prepared when they are first needed. */
export function createWhens(engine: EngineInstance, names: BundleReader): Whens {
  const prepared: Evaluate[] = [];
  const u32 = (field: number): number => engine.view.getUint32(engine.answer + field, true);
  const value = (): string => {
    const start = u32(LAYOUT.A_VALUE);
    return engine.bytes.toString("utf8", start, start + u32(LAYOUT.A_VALUE_LENGTH));
  };

  /** Gives each expression of one question what it reads, and reads nothing twice. Only what is not in doubt is read: the engine has seen to that. */
  function readerOf({ input, nowMs, decision }: AskedAbout): (index: number) => ExpressionInputs {
    const { spiffeId = "", namespace = null, serviceAccount = null } = decision.subject ?? {};
    const { host = "", port = 0 } = decision.target ?? {};
    const subject = {
      ...{ id: spiffeId, trustDomain: spiffeId.split("/")[2] ?? "" },
      ...{ namespace: namespace ?? "", serviceAccount: serviceAccount ?? "" },
    };
    const target = { host, port, service: decision.service ?? "", method: input.method, path: "" };
    const headers = new Map<string, string>();
    const inputs = { subject, target, headers, nowMs };
    const known = new Set<number>();
    let knowsPath = false;
    return (index) => {
      const { readsPath, headers: ids } = names.when(index);
      for (const id of ids) {
        if (known.has(id)) continue;
        known.add(id);
        if (engine.exports.readHeader(id) === TRUTHS.true) headers.set(names.header(id), value());
      }
      if (readsPath && !knowsPath) {
        knowsPath = true;
        engine.exports.readPath();
        target.path = value();
      }
      return inputs;
    };
  }

  function outcome(index: number, inputs: ExpressionInputs): ExpressionOutcome {
    const evaluate = prepared[index] ?? createEvaluate(names.when(index).text);
    prepared[index] = evaluate;
    return evaluate(inputs);
  }

  return {
    ofItem(offset, asked) {
      const index = (names.field(offset + LAYOUT.ITEM_FLAGS) >>> LAYOUT.RULE_WHEN_AT) - 1;
      if (index < 0) return null;
      if (engine.exports.explainWhen(index) === 0) return outcome(index, readerOf(asked)(index));
      return { truth: "doubt", why: "what it reads is ambiguous or cannot be seen" };
    },
    answerAll(asked, assume) {
      const count = u32(LAYOUT.A_WHEN_COUNT);
      const places = u32(LAYOUT.A_WHENS);
      const inputsOf = readerOf(asked);
      for (let i = 0; i < count; i++) {
        const index = engine.view.getUint32(places + i * 4, true);
        const assumed = assume?.(names.when(index).text);
        engine.exports.answerWhen(index, TRUTHS[assumed ?? outcome(index, inputsOf(index)).truth]);
      }
    },
  };
}
