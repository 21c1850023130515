import type { ExpressionInputs } from "./inputs.ts";
import { parseExpression } from "./parse-expression.ts";
import { Doubt, prepareExpression } from "./prepare-expression.ts";

/** What an expression comes to. `why` = the error, when it is in doubt. */
export type ExpressionOutcome =
  | { readonly truth: "true" | "false"; readonly why: null }
  | { readonly truth: "doubt"; readonly why: string };

/** An expression, ready to be evaluated. Never throws. */
export type Evaluate = (inputs: ExpressionInputs) => ExpressionOutcome;

const TRUE: ExpressionOutcome = { truth: "true", why: null };
const FALSE: ExpressionOutcome = { truth: "false", why: null };

/** Prepares an expression. One that `validate` would refuse is always in doubt: nothing unbounded is ever evaluated. */
export function createEvaluate(text: string): Evaluate {
  const parsed = parseExpression(text);
  if (!parsed.ok) return () => ({ truth: "doubt", why: "it is not an expression of this language" });
  const evaluate = prepareExpression(parsed.ast);
  return (inputs) => {
    const value = evaluate(inputs);
    if (value instanceof Doubt) return { truth: "doubt", why: value.why };
    return value === true ? TRUE : FALSE;
  };
}
