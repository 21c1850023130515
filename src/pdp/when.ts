import type { BundleReader } from "../bundle/bundle-reader.ts";
import { LAYOUT } from "../bundle/layout.ts";
import {
  createEvaluate,
  type Evaluate,
  type ExpressionInputs,
  type ExpressionOutcome,
} from "../policy/when/evaluate-expression.ts";
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

  /** Only of what is not in doubt: the engine has seen to that. */
  function inputsOf(index: number, { input, nowMs, decision }: AskedAbout): ExpressionInputs {
    const { readsPath, headers: ids } = names.when(index);
    const headers = new Map<string, string>();
    for (const id of ids) if (engine.exports.readHeader(id) === TRUTHS.true) headers.set(names.header(id), value());
    if (readsPath) engine.exports.readPath();
    const path = readsPath ? value() : "";
    const { spiffeId = "", namespace = null, serviceAccount = null } = decision.subject ?? {};
    const { host = "", port = 0 } = decision.target ?? {};
    return {
      subject: {
        ...{ id: spiffeId, trustDomain: spiffeId.split("/")[2] ?? "" },
        ...{ namespace: namespace ?? "", serviceAccount: serviceAccount ?? "" },
      },
      target: { host, port, service: decision.service ?? "", method: input.method, path },
      headers,
      nowMs,
    };
  }

  function outcome(index: number, asked: AskedAbout): ExpressionOutcome {
    const evaluate = prepared[index] ?? createEvaluate(names.when(index).text);
    prepared[index] = evaluate;
    return evaluate(inputsOf(index, asked));
  }

  return {
    ofItem(offset, asked) {
      const index = (names.field(offset + LAYOUT.ITEM_FLAGS) >>> LAYOUT.RULE_WHEN_AT) - 1;
      if (index < 0) return null;
      if (engine.exports.explainWhen(index) === 0) return outcome(index, asked);
      return { truth: "doubt", why: "what it reads is ambiguous or cannot be seen" };
    },
    answerAll(asked, assume) {
      const count = u32(LAYOUT.A_WHEN_COUNT);
      const places = u32(LAYOUT.A_WHENS);
      for (let i = 0; i < count; i++) {
        const index = engine.view.getUint32(places + i * 4, true);
        engine.exports.answerWhen(index, TRUTHS[assume?.(names.when(index).text) ?? outcome(index, asked).truth]);
      }
    },
  };
}
