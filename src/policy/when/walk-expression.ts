import type { ASTNode } from "@marcbachmann/cel-js";
import type { ExpressionReads } from "../model.ts";
import { suggest } from "../suggest.ts";
import { parseHeaderName } from "../token.ts";
import { CLOCK_METHODS, ENVIRONMENT, type EnvironmentName, MOST_INPUT } from "./environment.ts";
import { isDurationText, isInstantText } from "./literal-text.ts";
import type { ExpressionProblem } from "./parse-expression.ts";
import { createSearch } from "./search.ts";

/** What a walk over an expression's tree finds without evaluating it. */
export interface ExpressionWalk {
  readonly problems: readonly ExpressionProblem[];
  readonly reads: ExpressionReads;
  /** What an evaluation takes, at most: about nanoseconds. */
  readonly cost: number;
}

/** A value: its characters at most, when it is text. */
type Size = number | null;

const ROOTS = [...Object.keys(ENVIRONMENT), "headers", "now"];
const TEXT_METHODS = ["startsWith", "endsWith", "contains"];
const ORDERED = ["<", "<=", ">", ">="];
const BINARY = ["==", "!=", ...ORDERED, "+", "-", "*", "/", "%"];
/** What counting characters takes for each. */
const COUNTING = 2;
/** What evaluating any part takes, and what calculating and reading the calendar take beside that. */
const STEP = 40;
const CALCULATION = 80;
const CALENDAR = 200;
const FUNCTIONS = "`has`, `size`, `timestamp`, `duration`";

/**
 * Walks the tree. What is not known to be bounded and to mean the same to every implementation of CEL is refused: loops,
 * patterns, `headers` as a whole, conversions, and what the language has no use for.
 */
export function walkExpression(root: ASTNode): ExpressionWalk {
  const problems: ExpressionProblem[] = [];
  const headers = new Set<string>();
  const reads = { method: false, path: false, clock: false };
  let cost = 0;

  function problem(offset: number, code: ExpressionProblem["code"], message: string, fix: string | null): Size {
    problems.push({ code, message, offset, fix });
    return null;
  }
  const refuse = (node: ASTNode, message: string): Size => problem(node.start, "expression-not-allowed", message, null);
  // For `a.b` this is the place of `b`.
  const unknown = (node: ASTNode, message: string, meant: string | null): Size =>
    problem(node.pos, "expression-unknown-name", message, meant);

  /** What is not of the same length is told apart at once. */
  function compare(one: Size, other: Size): void {
    cost += Math.min(one ?? 1, other ?? 1);
  }

  function count(node: ASTNode): Size {
    // Its own cost first: what is added to was read before it otherwise.
    const size = visit(node) ?? 1;
    cost += COUNTING * size;
    return null;
  }

  function header(node: ASTNode, name: string): Size {
    const parsed = parseHeaderName(name);
    if (!parsed.ok) return problem(node.pos, "expression-not-allowed", parsed.message, parsed.fix);
    headers.add(name);
    return MOST_INPUT;
  }

  function field(node: ASTNode, root: keyof typeof ENVIRONMENT, name: string): Size {
    const fields: Readonly<Record<string, EnvironmentName>> = ENVIRONMENT[root];
    const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (known === undefined) {
      return unknown(node, `\`${root}\` has no \`${name}\``, suggest(name, Object.keys(fields)));
    }
    if (known.shows !== null) reads[known.shows] = true;
    return known.type === "string" ? known.most : null;
  }

  function name(node: ASTNode, text: string): Size {
    if (text === "now") {
      reads.clock = true;
      return null;
    }
    if (text === "headers") return refuse(node, '`headers` is read one by one: `headers["x-team"]`');
    if (ROOTS.includes(text))
      return refuse(node, `\`${text}\` is read field by field: \`${text}.${firstField(text)}\``);
    return unknown(node, `there is no \`${text}\`: only ${ROOTS.join(", ")}`, suggest(text, ROOTS));
  }

  /** `a.b`. */
  function select(node: ASTNode, of: ASTNode, text: string): Size {
    if (of.op === "id") {
      if (of.args === "headers") return header(node, text);
      if (isRecord(of.args)) return field(node, of.args, text);
    }
    visit(of);
    return problems.length > 0 ? null : refuse(node, `nothing here has a field \`${text}\``);
  }

  function index(node: ASTNode, of: ASTNode, at: ASTNode): Size {
    if (of.op !== "id" || of.args !== "headers")
      return refuse(node, 'only headers are read by name: `headers["x-team"]`');
    const text = literal(at);
    return text === null ? refuse(at, "the name of a header is written out, in quotes") : header(at, text);
  }

  function isIn(left: ASTNode, right: ASTNode): Size {
    if (right.op === "id" && right.args === "headers") {
      const text = literal(left);
      if (text === null) return refuse(left, "the name of a header is written out, in quotes");
      header(left, text);
      return null;
    }
    if (right.op !== "list" || right.args.length === 0) {
      return refuse(right, "`in` is followed by a list that is written out, or by `headers`");
    }
    const size = visit(left);
    for (const each of right.args) compare(size, visit(each));
    return null;
  }

  function binary(node: ASTNode, left: ASTNode, right: ASTNode): Size {
    const [one, other] = [visit(left), visit(right)];
    if (["/", "%", "*"].includes(node.op)) cost += CALCULATION;
    if (one === null || other === null) return null;
    if (ORDERED.includes(node.op)) return refuse(node, "texts have no order here: compare them with `==` or `in`");
    if (node.op !== "+") compare(one, other);
    else cost += one + other;
    return node.op === "+" ? one + other : null;
  }

  function call(node: ASTNode, of: string, args: readonly ASTNode[]): Size {
    const [only] = args;
    if (only === undefined || args.length !== 1) return refuse(node, `\`${of}\` takes one argument here`);
    const text = literal(only);
    if (of === "has") {
      const is = only.op === "." && only.args[0].op === "id" && only.args[0].args === "headers";
      if (!is) return refuse(only, '`has` asks for a header: `has(headers.origin)`, or `"x-team" in headers`');
      header(only, only.args[1]);
    } else if (of === "size") return count(only);
    else if (of === "timestamp") {
      if (text === null || !isInstantText(text)) {
        return refuse(only, "`timestamp` takes an instant that is written out, as `2027-03-31T00:00:00Z`");
      }
    } else if (of === "duration") {
      if (text === null || !isDurationText(text)) {
        return refuse(only, "`duration` takes a length of time that is written out, as `1h30m`");
      }
    } else return refuse(node, `\`${of}\` is not a function of this language: ${FUNCTIONS}`);
    return null;
  }

  function method(node: ASTNode, of: string, receiver: ASTNode, args: readonly ASTNode[]): Size {
    const [only] = args;
    if (of === "size" && only === undefined) return count(receiver);
    if (CLOCK_METHODS.some((each) => each === of)) {
      if (only !== undefined) return refuse(only, `\`${of}\` is in UTC, and takes no time zone`);
      visit(receiver);
      cost += CALENDAR;
      return null;
    }
    if (!TEXT_METHODS.includes(of) || only === undefined || args.length > 1) {
      const known = [...TEXT_METHODS, ...CLOCK_METHODS];
      return refuse(node, `\`.${of}\` is not a method of this language: ${known.slice(0, 4).join(", ")}, …`);
    }
    const [whole, part] = [visit(receiver) ?? 1, visit(only) ?? 1];
    const sought = literal(only);
    if (of !== "contains") cost += part;
    else if (sought === null) return refuse(only, "`contains` looks for a text that is written out");
    else cost += createSearch(sought).looks * whole;
    return null;
  }

  function visit(node: ASTNode): Size {
    cost += STEP;
    switch (node.op) {
      case "value":
        if (typeof node.args === "string") return node.args.length;
        if (typeof node.args === "bigint" || typeof node.args === "boolean") return null;
        return refuse(node, "only texts, whole numbers, `true` and `false` are written here");
      case "id":
        return name(node, node.args);
      case ".":
        return select(node, ...node.args);
      case "[]":
        return index(node, ...node.args);
      case "in":
        return isIn(...node.args);
      case "call":
        return call(node, ...node.args);
      case "rcall":
        return method(node, ...node.args);
      case "?:": {
        const [, yes, no] = node.args.map(visit);
        return yes === undefined || no === undefined || yes === null || no === null ? null : Math.max(yes, no);
      }
      case "&&":
      case "||":
        node.args.map(visit);
        return null;
      case "!_":
      case "-_":
        visit(node.args);
        return null;
      default: {
        if (!BINARY.includes(node.op)) return refuse(node, `\`${node.op}\` has no place here`);
        const [left, right] = node.args as readonly [ASTNode, ASTNode];
        return binary(node, left, right);
      }
    }
  }

  visit(root);
  return { problems, reads: { ...reads, headers: [...headers].sort() }, cost };
}

function isRecord(name: string): name is keyof typeof ENVIRONMENT {
  return Object.hasOwn(ENVIRONMENT, name);
}

function firstField(name: string): string {
  return isRecord(name) ? (Object.keys(ENVIRONMENT[name])[0] ?? "") : "";
}

/** The text of a literal, or null. */
function literal(node: ASTNode): string | null {
  return node.op === "value" && typeof node.args === "string" ? node.args : null;
}
