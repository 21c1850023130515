import type { ASTNode, Environment, ParseError, ParseResult, TypeCheckResult } from "@marcbachmann/cel-js";
import type { DiagnosticCode } from "../diagnostic-codes.ts";
import { LIMITS } from "../limits.ts";
import type { WhenExpression } from "../model.ts";
import { createTypedEnvironment } from "./typed-environment.ts";
import { walkExpression } from "./walk-expression.ts";

/** What is wrong with an expression, and where in its text (UTF-16 units from its start). */
export interface ExpressionProblem {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly offset: number;
  readonly fix: string | null;
}

/** An expression that may be evaluated, with its tree, or all that is wrong with it. */
export type ParsedExpression =
  | { readonly ok: true; readonly value: WhenExpression; readonly ast: ASTNode }
  | { readonly ok: false; readonly problems: readonly ExpressionProblem[] };

let environment: Environment | null = null;

/**
 * Reads an expression: its syntax, that it keeps to what the language takes of CEL, its types, and what it can cost.
 * Never throws. @see docs/semantics.md §4
 */
export function parseExpression(text: string): ParsedExpression {
  environment ??= createTypedEnvironment();
  let parsed: ParseResult;
  try {
    parsed = environment.parse(text);
  } catch (error) {
    return refused([syntaxProblem(error as ParseError)]);
  }
  const { problems, reads, cost } = walkExpression(parsed.ast);
  if (problems.length > 0) return refused(problems);
  const { valid, type, error } = parsed.check();
  if (!valid) return refused([typeProblem(error)]);
  if (type !== "bool") {
    const message = `the expression is ${type ?? "of no type"}, and a condition is bool`;
    return refused([{ code: "expression-type", message, offset: 0, fix: null }]);
  }
  if (cost > LIMITS.expressionCost) {
    const message = `the expression can cost ${cost}, more than ${LIMITS.expressionCost}`;
    return refused([{ code: "expression-too-costly", message, offset: 0, fix: null }]);
  }
  return { ok: true, value: { text, reads, cost }, ast: parsed.ast };
}

function refused(problems: readonly ExpressionProblem[]): ParsedExpression {
  return { ok: false, problems };
}

function syntaxProblem({ code, summary, range }: ParseError): ExpressionProblem {
  const offset = range?.start ?? 0;
  if (code === "limit_exceeded") {
    const message = `the expression is too long or nested too deep: ${lower(summary)}`;
    return { code: "expression-too-costly", message, offset, fix: null };
  }
  return { code: "expression-syntax", message: `not CEL: ${lower(summary)}`, offset, fix: null };
}

function typeProblem(error: TypeCheckResult["error"]): ExpressionProblem {
  const message = `the types do not fit: ${lower(error?.summary ?? "unknown")}`;
  return { code: "expression-type", message, offset: error?.range?.start ?? 0, fix: null };
}

/** The library's sentences in the house's spelling: one line, no capital. */
function lower(summary: string): string {
  const line = (summary.split("\n")[0] ?? summary).replace(/\.$/, "").replaceAll("EOF", "the end");
  return line.charAt(0).toLowerCase() + line.slice(1);
}
