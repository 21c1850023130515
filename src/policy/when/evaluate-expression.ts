import type { EvaluationError } from "@marcbachmann/cel-js";
import { parseExpression } from "./parse-expression.ts";

/** What an expression reads, all of it known for certain. */
export interface ExpressionInputs {
  readonly subject: {
    readonly id: string;
    readonly trustDomain: string;
    readonly namespace: string;
    readonly serviceAccount: string;
  };
  readonly target: {
    readonly host: string;
    readonly port: number;
    readonly service: string;
    readonly method: string;
    readonly path: string;
  };
  /** Those that it reads and the request has. */
  readonly headers: ReadonlyMap<string, string>;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** What an expression comes to. `why` = the error, when it is in doubt. */
export type ExpressionOutcome =
  | { readonly truth: "true" | "false"; readonly why: null }
  | { readonly truth: "doubt"; readonly why: string };

/** An expression, ready to be evaluated. Never throws. */
export type Evaluate = (inputs: ExpressionInputs) => ExpressionOutcome;

/** Prepares an expression. One that `validate` would refuse is always in doubt: nothing unbounded is ever evaluated. */
export function createEvaluate(text: string): Evaluate {
  const parsed = parseExpression(text);
  if (!parsed.ok) return () => doubt("it is not an expression of this language");
  const { evaluate } = parsed;
  return ({ subject, target, headers, nowMs }) => {
    try {
      const value: unknown = evaluate({
        ...{ subject, target: { ...target, port: BigInt(target.port) }, headers },
        now: new Date(nowMs),
      });
      if (typeof value === "boolean") return { truth: value ? "true" : "false", why: null };
      return doubt("it came to no answer");
    } catch (error) {
      return doubt((error as Partial<EvaluationError>).summary ?? "it failed");
    }
  };
}

function doubt(why: string): ExpressionOutcome {
  return { truth: "doubt", why: why.charAt(0).toLowerCase() + why.slice(1) };
}
